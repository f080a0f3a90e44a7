/**
 * The floor: the least that an appservice must do to answer. It returns its 200 first, asks the same model over the same
 * kind of kept connection, and sends one message. Nothing is kept, nothing is checked: it loses what it works on when it dies.
 * Run as a process of its own: `node test/bench/floor.ts <port> <homeserver url> <model url> <as token>`.
 */
import { createServer } from "node:http";
import { Agent, request } from "undici";

const [port = "0", homeserverUrl = "", modelUrl = "", asToken = ""] = process.argv.slice(2);
const connections = new Agent({ connections: 64, pipelining: 1, keepAliveTimeout: 60_000 });

interface FloorEvent {
  event_id: string;
  room_id: string;
  type: string;
  sender: string;
  content: { body?: string; "m.mentions"?: { user_ids?: string[] } };
}

createServer((incoming, response) => {
  const parts: Buffer[] = [];
  incoming.on("data", (part: Buffer) => parts.push(part));
  incoming.on("end", () => {
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
    if (incoming.method !== "PUT") return;
    const { events } = JSON.parse(Buffer.concat(parts).toString("utf8")) as { events: FloorEvent[] };
    for (const event of events)
      answer(event).catch((error: unknown) => console.error(`The floor could not answer ${event.event_id}:`, error));
  });
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));

async function answer(event: FloorEvent): Promise<void> {
  const me = event.content["m.mentions"]?.user_ids?.[0];
  if (event.type !== "m.room.message" || !me || event.sender === me || !/^@floor/.test(me)) return;
  const text = await askModel(event.content.body ?? "");
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(event.room_id)}/send/m.room.message/floor-${encodeURIComponent(event.event_id)}`;
  const sent = await request(`${homeserverUrl}${path}?user_id=${encodeURIComponent(me)}`, {
    method: "PUT",
    dispatcher: connections,
    headers: { authorization: `Bearer ${asToken}`, "content-type": "application/json" },
    body: JSON.stringify({
      msgtype: "m.text",
      body: text,
      "m.mentions": { user_ids: [event.sender] },
      "m.relates_to": { "m.in_reply_to": { event_id: event.event_id } },
    }),
  });
  const body = await sent.body.text();
  if (sent.statusCode !== 200) throw new Error(`${sent.statusCode} ${body}`);
}

async function askModel(question: string): Promise<string> {
  const response = await request(`${modelUrl}/v1/chat/completions`, {
    method: "POST",
    dispatcher: connections,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "scripted", stream: false, messages: [{ role: "user", content: question }] }),
  });
  const { choices } = (await response.body.json()) as { choices: { message: { content: string } }[] };
  return choices[0]?.message.content ?? "";
}
