/** What the page of templates says. */
export const templatesTexts = {
  title: "Templates",
  intro: "Agents to begin with. They need no tools: what they know is how to do one thing well.",
  make: "Make an agent",
  look: "Instructions",
  close: "Close",
  asks: "People ask it, for example:",
  variables: "What you can fill in",
  instructions: "Instructions",
  updates: "Agents whose template says something new",
  updatesNone: "All agents have what their templates say.",
  from: (title: string) => `from ${title}`,
  see: (name: string) => `See what is new for ${name}`,
};
