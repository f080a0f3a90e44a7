import { expect, test } from "vitest";
import { agentNameProblem } from "../../bots/agent-names.ts";
import { getTemplate, listTemplates, parseTemplate } from "../../bots/templates.ts";

const BUILT_IN = ["agent", "company", "room", "date"];

test("nine templates ship, each with a title, instructions worth having and three questions to try", () => {
  const templates = listTemplates();
  expect(templates.map(({ title }) => title).sort()).toEqual([
    "Code reviewer",
    "Interviewer",
    "Marketing writer",
    "Meeting scribe",
    "Project assistant",
    "Sales coach",
    "Support triage",
    "Translator",
    "Web researcher",
  ]);
  for (const { definition, questions, category } of templates) {
    expect(agentNameProblem(definition.name)).toBeNull();
    expect(definition).toMatchObject({ scope: "member", whoMayInvite: "anyone", model: null });
    const words = definition.instructions.split(/\s+/).length;
    expect(words).toBeGreaterThanOrEqual(250);
    expect(words).toBeLessThanOrEqual(650);
    expect(definition.description.length).toBeLessThanOrEqual(160);
    expect(questions).toHaveLength(3);
    expect(category).not.toBe("Other");
  }
  expect(new Set(templates.map(({ definition }) => definition.name)).size).toBe(9);
});

test.each(listTemplates())("$id uses the variables that it gives values to, and no others", ({ definition }) => {
  const used = [...definition.instructions.matchAll(/\{\{\s*([^}]*?)\s*\}\}/g)].map((match) => match[1] ?? "");
  const own = Object.keys(definition.variables ?? {});
  expect(used.filter((name) => !BUILT_IN.includes(name) && !own.includes(name))).toEqual([]);
  expect(own.filter((name) => !used.includes(name))).toEqual([]);
});

test("the researcher reads the web by itself, asks before each mail and calls nothing else outside", () => {
  expect(getTemplate("researcher").definition.tools).toMatchObject({
    web: { policy: "allowed" },
    http_call: { policy: "never" },
    mail: { policy: "ask" },
  });
});

test("the planner keeps the id and the name that agents made from it have", () => {
  expect(getTemplate("planner")).toMatchObject({ title: "Project assistant", definition: { name: "Planner" } });
});

test("a template that is asked for and not there names those that are", () => {
  expect(() => getTemplate("poet")).toThrow(/no template "poet"\. Choose one of .*planner.*writer/);
});

test.each([
  ["no front matter", "no front matter", "The template x cannot be used"],
  ["an unknown scope", "---\nname: X\nscope: king\n---\nDo.", "scope"],
  ["no name", "---\nscope: member\n---\nDo.", "no name"],
  ["no text", "---\nname: X\n---\n  \n", "a text"],
  ["a line that means nothing", "---\nname: X\nwhat is this\n---\nDo.", "what is this"],
  ["a policy that there is not", "---\nname: X\ntools:\n  - web: perhaps\n---\nDo.", "not understood: web: perhaps"],
  [
    "a variable without a value",
    "---\nname: X\nvariables:\n  - tone\n---\nDo.",
    "this variable is not understood: tone",
  ],
])("a template with %s says which and why", (_what, source, sentence) => {
  expect(() => parseTemplate("x", source)).toThrow(sentence);
});

test("a template is read with its variables, whatever ends its lines; without a title it is called like its agent", () => {
  const source = "---\nname: X\nvariables:\n  - tone: calm: very\nquestions:\n  - Why?\n---\nDo.\n";
  expect(parseTemplate("x", source.replaceAll("\n", "\r\n"))).toEqual({
    id: "x",
    title: "X",
    category: "Other",
    questions: ["Why?"],
    definition: {
      name: "X",
      description: "",
      instructions: "Do.",
      model: null,
      whoMayInvite: "anyone",
      scope: "member",
      variables: { tone: "calm: very" },
    },
  });
});
