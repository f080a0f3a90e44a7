import { expect, test } from "vitest";
import { type Scene, systemPrompt } from "../../bots/prompt.ts";
import { fillVariables, unknownVariables } from "../../bots/variables.ts";
import type { AgentDefinition } from "../../migrations/types.ts";

const VALUES = { tone: "friendly", company: "Acme", empty: "", nested: "{{tone}}" };

const cases: [what: string, text: string, filled: string][] = [
  ["a value", "Be {{tone}}.", "Be friendly."],
  ["spaces within", "Be {{ tone }}.", "Be friendly."],
  ["the same twice", "{{tone}} and {{tone}}", "friendly and friendly"],
  ["an empty value", "[{{empty}}]", "[]"],
  ["one that is not known stays", "Be {{mood}}.", "Be {{mood}}."],
  ["values are not looked at again", "{{nested}}", "{{tone}}"],
  ["single braces are text", "{tone}", "{tone}"],
  ["three braces", "{{{tone}}}", "{friendly}"],
  ["other letters are text", "{{Tone}} {{to ne}} {{}}", "{{Tone}} {{to ne}} {{}}"],
  ["names that every object has", "{{constructor}} {{tostring}}", "{{constructor}} {{tostring}}"],
  ["a dollar sign is no pattern", "{{tone}}$&", "friendly$&"],
  ["no text", "", ""],
];

test.each(cases)("%s", (_what, text, filled) => {
  expect(fillVariables(text, VALUES)).toBe(filled);
});

test("a value with a dollar sign is put in as it is", () => {
  expect(fillVariables("{{price}}", { price: "$& $1 $$" })).toBe("$& $1 $$");
});

test("names without a value are listed once, as they are written", () => {
  const definition: AgentDefinition = {
    name: "Writer",
    description: "",
    instructions: "{{agent}} of {{company}} in {{room}} on {{date}}: {{tone}}, {{mood}}, {{ mood }}, {{Big One}}",
    model: null,
    whoMayInvite: "anyone",
    scope: "member",
    variables: { tone: "friendly" },
  };
  expect(unknownVariables(definition)).toEqual(["mood", "Big One"]);
  expect(unknownVariables({ ...definition, instructions: "" })).toEqual([]);
});

test("the agent's own values go before what the platform knows; the rest is true of the room", () => {
  const scene: Scene = {
    agentName: "Writer",
    agentUserId: "@agent-writer:acme.test",
    instructions: "{{agent}} writes for {{company}} in {{room}} on {{date}}, {{tone}}.",
    variables: { tone: "friendly", company: "the sales team" },
    tenantTitle: "Acme",
    roomName: "Campaigns",
    people: ["Ann", "Bob"],
    agents: [],
    direct: false,
    now: new Date("2026-01-15T12:00:00Z"),
  };
  expect(systemPrompt(scene)).toMatch(/^Writer writes for the sales team in Campaigns on 2026-01-15, friendly\.\n/);
  const direct = { ...scene, direct: true, people: ["Ann"], roomName: null, variables: undefined };
  expect(systemPrompt(direct)).toMatch(/^Writer writes for Acme in a direct chat on 2026-01-15, \{\{tone\}\}\.\n/);
});

test("thousands of spaces in a place keep nobody waiting", () => {
  const began = performance.now();
  const instructions = `{{${" ".repeat(100_000)}x {{ tone }} {{${" ".repeat(100_000)}`;
  expect(unknownVariables({ instructions } as AgentDefinition)).toEqual(["tone"]);
  expect(performance.now() - began).toBeLessThan(500);
});
