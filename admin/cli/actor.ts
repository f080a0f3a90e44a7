import { userInfo } from "node:os";
import type { Actor } from "../audit.ts";

/** Who the audit log names for a command: the machine's user who typed it. */
export function commandLineActor(): Actor {
  const name = osUser();
  return { kind: "command_line", id: name, name: `${name} on the command line` };
}

function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    return "somebody"; // a container's user may have no name
  }
}
