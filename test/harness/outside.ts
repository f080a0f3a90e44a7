/** What lies outside of a client: a web server and a mail server on loopback, which the platform is allowed to reach. For whole platforms; start them before. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";

export interface Outside {
  /** `http://127.0.0.1:port` */
  url: string;
  mailPort: number;
  /** For AGENTOPIA_ALLOW_HOSTS. */
  hosts: string;
  /** HTML by path. */
  pages: Map<string, string>;
  /** Paths that were asked for. */
  asked: string[];
  mails: { to: string[]; subject: string; raw: string }[];
  stop(): Promise<void>;
}

export async function startOutside(): Promise<Outside> {
  const pages = new Map<string, string>();
  const asked: string[] = [];
  const mails: Outside["mails"] = [];
  const web = createServer((request, response) => {
    asked.push(request.url ?? "");
    const page = pages.get((request.url ?? "").split("?")[0] ?? "");
    response
      .writeHead(page === undefined ? 404 : 200, { "content-type": "text/html; charset=utf-8" })
      .end(page ?? "Not here.");
  });
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  const smtp = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        const raw = Buffer.concat(parts).toString();
        const subject = /^Subject: (.*)$/m.exec(raw)?.[1]?.trim() ?? "";
        mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), subject, raw });
        done();
      });
    },
  });
  smtp.listen(0, "127.0.0.1");
  await once(smtp.server, "listening");
  const webPort = (web.address() as AddressInfo).port;
  const mailPort = (smtp.server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${webPort}`,
    mailPort,
    hosts: `127.0.0.1:${webPort},127.0.0.1:${mailPort}`,
    pages,
    asked,
    mails,
    async stop() {
      web.closeAllConnections();
      web.close();
      await new Promise<void>((resolve) => smtp.close(() => resolve()));
    },
  };
}
