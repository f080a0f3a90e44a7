/** A real SMTP server on loopback that keeps what it gets, and can be told to misbehave. */
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { SMTPServer, type SMTPServerSession } from "smtp-server";
import { onTestFinished } from "vitest";

export const MAIL_PASSWORD = "open sesame 42";

export interface MailServer {
  port: number;
  mails: { from: string; to: string[]; raw: string; secure: boolean }[];
  /** Names that signed in. */
  users: string[];
  refuses: Set<string>;
  /** What happens when the mail itself comes. */
  onData: "take" | "drop" | "hang" | "refuse";
  /** Resolves when mail data has begun to arrive. */
  dataBegan: Promise<void>;
  connections: number;
}

/** `auth`: a name and password are needed. STARTTLS is not offered. */
export async function mailServer(options: { auth?: boolean } = {}): Promise<MailServer> {
  let began: () => void = () => undefined;
  const self: MailServer = {
    port: 0,
    mails: [],
    users: [],
    refuses: new Set(),
    onData: "take",
    dataBegan: new Promise((resolve) => {
      began = resolve;
    }),
    connections: 0,
  };
  const sockets = new Set<Socket>();
  const server = new SMTPServer({
    authOptional: !options.auth,
    allowInsecureAuth: true,
    hideSTARTTLS: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    onConnect(_session, done) {
      self.connections++;
      done();
    },
    onAuth({ username = "", password }, _session, done) {
      if (password !== MAIL_PASSWORD) return done(new Error(`Not ${password}`));
      self.users.push(username);
      done(null, { user: username });
    },
    onRcptTo({ address }, _session, done) {
      if (!self.refuses.has(address)) return done();
      done(Object.assign(new Error("No such mailbox here"), { responseCode: 550 }));
    },
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => {
        began();
        parts.push(part);
        if (self.onData === "drop") for (const socket of sockets) socket.destroy();
      });
      stream.on("end", () => {
        if (self.onData === "hang") return;
        if (self.onData === "refuse")
          return done(Object.assign(new Error("This looks like spam"), { responseCode: 554 }));
        self.mails.push(kept(session, Buffer.concat(parts)));
        done(null);
      });
    },
  });
  server.on("error", () => undefined); // connections that a test cuts off
  server.server.on("connection", (socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  self.port = (server.server.address() as AddressInfo).port;
  return self;
}

const kept = ({ envelope, secure }: SMTPServerSession, bytes: Buffer): MailServer["mails"][number] => ({
  from: envelope.mailFrom ? envelope.mailFrom.address : "",
  to: envelope.rcptTo.map(({ address }) => address),
  raw: bytes.toString("utf8"),
  secure,
});
