import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { freePort, isFree, keptPorts, portTaken } from "../../core/ports.ts";

function home(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "agentopia-ports-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a port on which someone listens is not free", async () => {
  const port = await freePort();
  expect(await isFree(port)).toBe(true);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  expect(await isFree(port)).toBe(false);
  await new Promise((resolve) => server.close(resolve));
});

test("ports are chosen once, all different, and kept", async () => {
  const folder = home();
  const first = await keptPorts(folder);
  expect(new Set(Object.values(first)).size).toBe(3);
  expect(await keptPorts(folder)).toEqual(first);
  expect(await keptPorts(folder, { public: 4000 })).toEqual({ ...first, public: 4000 });
});

test("a deleted line is chosen anew, the others stay", async () => {
  const folder = home();
  const first = await keptPorts(folder);
  const file = path.join(folder, "ports.json");
  writeFileSync(file, JSON.stringify({ public: first.public, postgres: first.postgres }));
  const second = await keptPorts(folder);
  expect(second).toMatchObject({ public: first.public, postgres: first.postgres });
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(second);
});

test("a file that is no JSON and an address that is not ours end in a sentence", async () => {
  const folder = home();
  writeFileSync(path.join(folder, "ports.json"), "{");
  await expect(keptPorts(folder)).rejects.toThrow(/ports\.json cannot be read\. Correct it, or delete it/);
  await expect(isFree(20_000, "203.0.113.7")).rejects.toThrow(/AGENTOPIA_HOST is 203\.0\.113\.7, which is no address/);
  expect(portTaken("public", 20_001, folder).sentence).toMatch(/Port 20001 is used by another program.*AGENTOPIA_PORT/);
});
