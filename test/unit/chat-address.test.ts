import { expect, test } from "vitest";
import { chatAddress } from "../../admin/web/parts/chat-address.ts";

const LINK = "https://matrix.to/#/!room%3Aacme.test/%24mine?via=acme.test";

test("the platform's own Element opens rooms and messages where it is served", () => {
  const facts = { elementUrl: "https://chat.example.org/element/acme/", homeserverUrl: "http://127.0.0.1:8008" };
  expect(chatAddress(LINK, facts)).toBe(
    "https://chat.example.org/element/acme/#/room/!room%3Aacme.test/%24mine?via=acme.test",
  );
});

test.each([
  ["http://127.0.0.1:8008", null],
  ["http://localhost:8008", null],
  ["http://acme.localhost:8008", null],
  ["http://192.168.1.7:8008", null],
  ["http://172.20.0.2:8008", null],
  ["http://10.0.0.3", null],
  ["http://synapse:8008", null],
  ["http://[::1]:8008", null],
  ["http://[fd00::1]:8008", null],
  ["https://matrix.example.org", LINK],
  ["https://172.32.0.1", LINK],
  ["https://[2001:db8::1]", LINK],
  ["https://10.example.org", LINK],
])("without it, a homeserver at %s", (homeserverUrl, expected) => {
  expect(chatAddress(LINK, { elementUrl: null, homeserverUrl })).toBe(expected);
});
