import { describe, expect, test } from "vitest";
import { type Asking, decide, isOffered, type RoomRights } from "../../bots/tools/decide.ts";
import type { Target } from "../../bots/tools/tool.ts";
import type { AgentTools } from "../../migrations/types.ts";

const MAIL = { name: "mail_send", group: "mail", title: "Send a mail", sends: "outside" } as const;
const FETCH = { name: "web_fetch", group: "web", title: "Read a page", sends: "address" } as const;
const TIME = { name: "time", group: "time", title: "Tell the time", sends: "nothing" } as const;
const NOTHING_USED = { run: {}, hour: {}, day: {}, tokens: {} };

const asking = (bounds: AgentTools, wish: Partial<Asking> = {}): Asking => ({
  agent: "Writer",
  bounds,
  tool: MAIL,
  targets: [],
  rooms: [],
  person: "@alice:acme.test",
  stranger: false,
  direct: false,
  used: NOTHING_USED,
  granted: false,
  approved: false,
  untrusted: null,
  said: false,
  ...wish,
});

const room = (wish: Partial<RoomRights> = {}): RoomRights => ({
  name: "“plans”",
  agentJoined: true,
  personJoined: true,
  agentLevel: 50,
  personLevel: 50,
  needed: 0,
  federated: false,
  writes: true,
  ...wish,
});

const to = (...values: string[]): Target[] => values.map((value) => ({ kind: "recipient", value }));
const at = (value: string): Target[] => [{ kind: "address", value }];
const PAGE = "the page https://evil.test/";

interface Case {
  name: string;
  asking: Asking;
  is: "allow" | "ask" | "refuse";
  says?: RegExp;
}

const cases: Case[] = [
  { name: "what no manager named is refused", asking: asking({}), is: "refuse", says: /may not use "Send a mail"/ },
  { name: "never is refused", asking: asking({ mail: { policy: "never" } }), is: "refuse" },
  { name: "limits alone allow nothing", asking: asking({ mail: { perDay: 3 } }), is: "refuse" },
  {
    name: "names of object's own properties allow nothing",
    asking: asking({}, { tool: { ...MAIL, name: "constructor", group: "toString" } }),
    is: "refuse",
  },
  { name: "a group's policy counts for its tools", asking: asking({ mail: { policy: "allowed" } }), is: "allow" },
  {
    name: "a tool's own policy says more than its group's",
    asking: asking({ mail: { policy: "allowed" }, mail_send: { policy: "never" } }),
    is: "refuse",
  },
  {
    name: "a tool may be allowed in a group that is not",
    asking: asking({ mail: { policy: "never" }, mail_send: { policy: "allowed" } }),
    is: "allow",
  },
  { name: "ask is asked", asking: asking({ mail: { policy: "ask" } }), is: "ask", says: /approved by a person/ },
  {
    name: "direct is allowed in a direct chat",
    asking: asking({ mail: { policy: "direct" } }, { direct: true }),
    is: "allow",
  },
  { name: "direct is asked in a room", asking: asking({ mail: { policy: "direct" } }), is: "ask", says: /In rooms/ },
  {
    name: "what was granted for the room is not asked again",
    asking: asking({ mail: { policy: "ask" } }, { granted: true }),
    is: "allow",
  },
  {
    name: "what a person approved is allowed",
    asking: asking({ mail: { policy: "ask" } }, { approved: true }),
    is: "allow",
  },
  {
    name: "what a person approved is refused when a manager has forbidden it since",
    asking: asking({ mail: { policy: "never" } }, { approved: true }),
    is: "refuse",
  },
  {
    name: "a recipient outside of what is allowed is refused",
    asking: asking({ mail: { policy: "allowed", allow: ["*@acme.test"] } }, { targets: to("bob@other.test") }),
    is: "refuse",
    says: /not among what a manager allowed/,
  },
  {
    name: "one of several outside is enough",
    asking: asking(
      { mail: { policy: "allowed", allow: ["*@acme.test"] } },
      { targets: to("a@acme.test", "b@other.test") },
    ),
    is: "refuse",
  },
  {
    name: "a recipient within is allowed",
    asking: asking({ mail: { policy: "allowed", allow: ["*@acme.test"] } }, { targets: to("A@ACME.test") }),
    is: "allow",
  },
  {
    name: "refused says more than allowed",
    asking: asking(
      { mail: { policy: "allowed", allow: ["*@acme.test"], refuse: ["boss@acme.test"] } },
      { targets: to("boss@acme.test") },
    ),
    is: "refuse",
    says: /excluded/,
  },
  {
    name: "a tool's list and its group's both bound",
    asking: asking(
      { mail: { policy: "allowed", allow: ["*@acme.test"] }, mail_send: { allow: ["*"] } },
      { targets: to("b@other.test") },
    ),
    is: "refuse",
  },
  {
    name: "outside of bounds an approval does not help",
    asking: asking({ mail: { policy: "ask", refuse: ["*"] } }, { targets: to("b@other.test"), approved: true }),
    is: "refuse",
  },

  {
    name: "a room that the agent is not in",
    asking: asking({ mail: { policy: "allowed" } }, { rooms: [room({ agentJoined: false })] }),
    is: "refuse",
    says: /is not in “plans”/,
  },
  {
    name: "a room that the person is not in",
    asking: asking({ mail: { policy: "allowed" } }, { rooms: [room({ personJoined: false })] }),
    is: "refuse",
    says: /Whoever asked is not in/,
  },
  {
    name: "a room where the person may not",
    asking: asking({ mail: { policy: "allowed" } }, { rooms: [room({ personLevel: 0, needed: 50 })] }),
    is: "refuse",
    says: /may not do this in “plans” themselves/,
  },
  {
    name: "a room where the agent may not",
    asking: asking({ mail: { policy: "allowed" } }, { rooms: [room({ agentLevel: 0, needed: 50 })] }),
    is: "refuse",
  },
  {
    name: "an approval gives no rights that the person has not",
    asking: asking({ mail: { policy: "ask" } }, { rooms: [room({ personLevel: 0, needed: 50 })], approved: true }),
    is: "refuse",
  },
  {
    name: "nobody known for whom it acts",
    asking: asking({ mail: { policy: "allowed" } }, { rooms: [room()], person: null }),
    is: "refuse",
    says: /Nobody is known/,
  },

  {
    name: "a run's calls are used up",
    asking: asking({ mail: { policy: "allowed", perRun: 2 } }, { used: { ...NOTHING_USED, run: { mail: 2 } } }),
    is: "refuse",
    says: /2 times in one run/,
  },
  {
    name: "an hour's calls are used up",
    asking: asking(
      { mail: { policy: "allowed" }, mail_send: { perHour: 1 } },
      { used: { ...NOTHING_USED, hour: { mail_send: 1 } } },
    ),
    is: "refuse",
    says: /once in an hour/,
  },
  {
    name: "a day's tokens are used up",
    asking: asking(
      { mail: { policy: "allowed", tokensPerDay: 10 } },
      { used: { ...NOTHING_USED, tokens: { mail: 12 } } },
    ),
    is: "refuse",
    says: /10 tokens/,
  },
  {
    name: "below its limits it is allowed",
    asking: asking(
      { mail: { policy: "allowed", perRun: 2, perDay: 9 } },
      { used: { ...NOTHING_USED, run: { mail: 1 }, day: { mail: 8 } } },
    ),
    is: "allow",
  },

  {
    name: "something untrusted was read: what goes outside is asked, although it is allowed",
    asking: asking({ mail: { policy: "allowed" } }, { untrusted: PAGE }),
    is: "ask",
    says: /nobody vouches for/,
  },
  {
    name: "a grant does not help against that",
    asking: asking({ mail: { policy: "ask" } }, { untrusted: PAGE, granted: true }),
    is: "ask",
  },
  {
    name: "nor does a direct chat",
    asking: asking({ mail: { policy: "direct" } }, { untrusted: PAGE, direct: true }),
    is: "ask",
  },
  {
    name: "a person's approval of this very call does",
    asking: asking({ mail: { policy: "allowed" } }, { untrusted: PAGE, approved: true }),
    is: "allow",
  },
  {
    name: "what sends nothing is not asked for it",
    asking: asking({ time: { policy: "allowed" } }, { tool: TIME, untrusted: PAGE }),
    is: "allow",
  },
  {
    name: "an address that it made up is asked",
    asking: asking(
      { web: { policy: "allowed" } },
      { tool: FETCH, targets: at("https://evil.test/?secret"), untrusted: PAGE },
    ),
    is: "ask",
    says: /address that no person named/,
  },
  {
    name: "an address that was said already takes nothing out",
    asking: asking(
      { web: { policy: "allowed" } },
      { tool: FETCH, targets: at("https://evil.test/next"), untrusted: PAGE, said: true },
    ),
    is: "allow",
  },
  {
    name: "an address whose host a manager named takes nothing out",
    asking: asking(
      { web: { policy: "allowed", allow: ["*.acme.test"] } },
      { tool: FETCH, targets: at("https://docs.acme.test/x"), untrusted: PAGE },
    ),
    is: "allow",
  },
  {
    name: "a star names nobody",
    asking: asking(
      { web: { policy: "allowed", allow: ["*", "*.test"] } },
      { tool: FETCH, targets: at("https://evil.test/?s"), untrusted: PAGE },
    ),
    is: "ask",
  },
  {
    name: "a path on any host names nobody",
    asking: asking(
      { web: { policy: "allowed", allow: ["https://*/feed.xml"] } },
      { tool: FETCH, targets: at("https://evil.test/feed.xml?s"), untrusted: PAGE },
    ),
    is: "ask",
  },
  {
    name: "a refused host is refused on every port",
    asking: asking(
      { web: { policy: "allowed", refuse: ["intern.test"] } },
      { tool: FETCH, targets: at("https://intern.test.:8443/") },
    ),
    is: "refuse",
  },
  {
    name: "what is the company's own is given to nobody of another company before somebody agrees, whatever is allowed or granted",
    asking: asking(
      { files: { policy: "allowed" } },
      {
        tool: { name: "files_read", group: "files", title: "Read a file", sends: "nothing", ofCompany: true },
        stranger: true,
        granted: true,
      },
    ),
    is: "ask",
    says: /another company/,
  },
  {
    name: "what is nobody's in particular is done for them too",
    asking: asking({ time: { policy: "allowed" } }, { tool: TIME, stranger: true }),
    is: "allow",
  },
  {
    name: "a room that other servers see is outside",
    asking: asking(
      { room: { policy: "allowed" } },
      {
        tool: { name: "room_post", group: "room", title: "Post", sends: "inside" },
        rooms: [room({ federated: true })],
        untrusted: PAGE,
      },
    ),
    is: "ask",
    says: /other servers see/,
  },
  {
    name: "reading there is not",
    asking: asking(
      { room: { policy: "allowed" } },
      {
        tool: { name: "room_read", group: "room", title: "Read", sends: "nothing" },
        rooms: [room({ federated: true, writes: false })],
        untrusted: PAGE,
      },
    ),
    is: "allow",
  },
];

describe("the decision on a call", () => {
  test.each(cases)("$name: $is", ({ asking, is, says }) => {
    const verdict = decide(asking);
    expect(verdict.kind).toBe(is);
    if (says) expect("reason" in verdict ? verdict.reason : "why" in verdict ? verdict.why : "").toMatch(says);
  });

  test("the level of who approves is the tool's, else the group's, else a moderator's", () => {
    const level = (bounds: AgentTools) => {
      const verdict = decide(asking(bounds));
      return verdict.kind === "ask" ? verdict.level : null;
    };
    expect(level({ mail: { policy: "ask" } })).toBe(50);
    expect(level({ mail: { policy: "ask", level: 75 } })).toBe(75);
    expect(level({ mail: { policy: "ask", level: 75 }, mail_send: { level: 100 } })).toBe(100);
  });

  test("a tool is offered to the model only where it may be used at all", () => {
    expect(isOffered({ mail: { policy: "ask" } }, MAIL)).toBe(true);
    expect(isOffered({ mail: { policy: "never" } }, MAIL)).toBe(false);
    expect(isOffered({ mail: { policy: "ask" } }, TIME)).toBe(false);
    expect(isOffered({ mail: { perDay: 1 } }, MAIL)).toBe(false);
  });
});
