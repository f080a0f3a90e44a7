/** What "always" covers, in people's words: it was taken for the one call that was asked about. Pure. */
import type { Tool } from "./tool.ts";

/**
 * After "♾️ lets Writer": "send mail from this room without asking again, whoever asks, whatever is in it and to whomever". Of a tool that is not known only its
 * name is said.
 */
export function alwaysLets(tool: Pick<Tool, "title" | "always"> | undefined, name: string): string {
  const does = tool?.always?.does ?? `use “${tool?.title ?? name}”`;
  const whatever = tool?.always?.whatever ?? "with whatever arguments";
  return `${does} from this room without asking again, whoever asks, ${whatever}`;
}
