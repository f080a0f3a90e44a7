import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { AppError } from "./errors.ts";

export interface Listener {
  close(): Promise<void>;
}

export interface ListenOptions {
  host: string;
  port: number;
  /** `env` holds the connection (`incoming`): who asks is limited by address. */
  fetch: (request: Request, env?: object) => Response | Promise<Response>;
  /** How long an idle connection stays open, in milliseconds. */
  keepAliveMs: number;
  /** What to say when another program listens there. */
  taken: AppError;
}

/** Serves HTTP/1.1. Throws `taken` when the port is in use, `setup` for an address that is not ours. */
export function listen({ host, port, fetch, keepAliveMs, taken }: ListenOptions): Promise<Listener> {
  const server = createAdaptorServer({ fetch }) as Server;
  server.keepAliveTimeout = keepAliveMs;
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "EADDRINUSE" ? taken : why(error, host, port)),
    );
    server.listen(port, host, () => resolve({ close: () => close(server) }));
  });
}

function why(cause: NodeJS.ErrnoException, host: string, port: number): Error {
  if (cause.code === "EACCES")
    return new AppError("setup", `Port ${port} may be used by root only. Choose one above 1023 with AGENTOPIA_PORT.`, {
      cause,
    });
  if (cause.code === "EADDRNOTAVAIL" || cause.code === "ENOTFOUND")
    return new AppError(
      "setup",
      `AGENTOPIA_HOST is ${host}, which is no address of this machine. Correct or unset it.`,
      { cause },
    );
  return cause;
}

/** Lets requests under way end for a second, then closes their connections. */
function close(server: Server): Promise<void> {
  const late = setTimeout(() => server.closeAllConnections(), 1000);
  return new Promise((resolve) => {
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    server.closeIdleConnections();
  });
}
