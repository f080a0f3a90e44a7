import { writeFileSync } from "node:fs";
import path from "node:path";
import { list } from "tar";
import { expect, onTestFinished, test } from "vitest";
import { publicUrl } from "../../admin/public-url.ts";
import { createSession } from "../../admin/sign-in/sessions.ts";
import { newId } from "../../core/ids.ts";
import { eventually } from "../harness/eventually.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "clients" });

/** The API over HTTP, as an operator in a browser. */
async function operator() {
  const { ctx, url } = shared.platform;
  const id = newId();
  await ctx.sql`insert into operators (id, name) values (${id}, ${`op-${id}`})`;
  const { token } = await createSession(ctx, { operatorId: id }, { userAgent: "test", address: null });
  const cookie = `agentopia_${new URL(await publicUrl(ctx)).port}=${token}`;
  const ask = (method: string, where: string, body?: unknown, signal?: AbortSignal) =>
    fetch(`${url}/api/v1${where}`, {
      method,
      headers: {
        cookie,
        "sec-fetch-site": "same-origin",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal ?? null,
    });
  const json = async (method: string, where: string, body?: unknown) => {
    const response = await ask(method, where, body);
    // biome-ignore lint/suspicious/noExplicitAny: tests look into it freely
    const json: any = await response.json();
    return { status: response.status, json };
  };
  return { ask, json };
}

test("a client is made, its homeserver runs, is restarted once, and its past tells of it", async () => {
  const { platform } = shared;
  const api = await operator();
  const made = await api.json("POST", "/clients", { id: "nova", title: "Nova" });
  expect(made).toMatchObject({ status: 201, json: { state: "creating" } });
  const runs = () =>
    eventually(
      "it to run",
      async () => {
        const { json } = await api.json("GET", "/clients/nova");
        return json.state === "running" && !json.details.restarting && json;
      },
      { timeoutMs: 60_000 },
    );
  const client = await runs();
  expect(client.details.version).toMatch(/^1\./);
  const pid = platform.synapsePid("nova");

  await Promise.all([api.json("POST", "/clients/nova/restart"), api.json("POST", "/clients/nova/restart")]);
  await runs();
  expect(platform.synapsePid("nova")).not.toBe(pid);
  const { json: past } = await api.json("GET", "/clients/nova/health");
  expect(past.items.map(({ state }: { state: string }) => state)).toEqual([
    "running",
    "starting",
    "restarting",
    "running",
    "starting",
  ]);
  const answer = await fetch(`${client.homeserverUrl}/_matrix/client/versions`);
  expect(answer.status).toBe(200);
});

test("a restart that was asked for while the platform dies ends with a running homeserver", async () => {
  const { platform } = shared;
  const api = await operator();
  const pid = platform.synapsePid("demo");
  await api.json("POST", "/clients/demo/restart");
  await platform.kill9();
  await platform.start();
  await eventually(
    "the demo client's homeserver",
    async () => {
      const { json } = await (await operator()).json("GET", "/clients/demo");
      return json.state === "running" && !json.details.restarting;
    },
    { timeoutMs: 60_000 },
  );
  expect([0, pid]).not.toContain(platform.synapsePid("demo"));
});

test("a backup is made while people work, downloaded, and holds the database", async () => {
  const api = await operator();
  const asked = await api.json("POST", "/clients/demo/backups");
  expect(asked.status).toBe(202);
  const done = await eventually(
    "the backup",
    async () => {
      const { json } = await api.json("GET", "/clients/demo/backups");
      const [row] = json.items;
      return (row.state === "done" || row.state === "failed") && row;
    },
    { timeoutMs: 60_000 },
  );
  expect(done).toMatchObject({ state: "done", error: null });
  const response = await api.ask("GET", `/clients/demo/backups/${done.id}/file`);
  const file = path.join(shared.platform.home, "downloaded.tar");
  writeFileSync(file, new Uint8Array(await response.arrayBuffer()));
  const entries = new Map<string, number>();
  await list({ file, strict: true, onReadEntry: (entry) => void entries.set(entry.path, entry.size) });
  expect([...entries.keys()]).toEqual(expect.arrayContaining(["database.dump", "signing.key", "tenant.json"]));
  expect(entries.get("database.dump")).toBeGreaterThan(10_000);
  const sizes = await api.json("POST", "/clients/demo/storage");
  expect(sizes.json.databaseBytes).toBeGreaterThan(1_000_000);
});

test("the log comes as it is written", async () => {
  const { platform } = shared;
  const api = await operator();
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const response = await api.ask("GET", "/clients/demo/log", undefined, end.signal);
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const seen = { text: "" };
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const piece of response.body ?? []) seen.text += decoder.decode(piece, { stream: true });
  })().catch((error: Error) => {
    if (error.name !== "AbortError") throw error;
  });
  await eventually("the first lines", async () => seen.text.includes("event: lines"));
  // As Synapse writes, which says too little by itself to wait for.
  writeFileSync(
    path.join(platform.home, "logs", "synapse-demo.log"),
    "WARNING access_token=syt_secretsecretsecret1\n",
    {
      flag: "a",
    },
  );
  await eventually("the new line", async () => seen.text.includes("WARNING access_token=…"));
  expect(seen.text).not.toContain("syt_secretsecretsecret1");
  end.abort();
  await reading;
});
