/** How the panel looks: calm, green, readable; contrast of 4.5 and more in light and dark. */
import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

const leaf: MantineColorsTuple = [
  "#e8f6f1",
  "#d3ebe2",
  "#a8d8c7",
  "#7ac5aa",
  "#54b592",
  "#36a37d",
  "#148a66",
  "#0b6e55",
  "#075a45",
  "#044534",
];

/** Mantine's dark greys with a breath of blue, and text that is nearly white. */
const dark: MantineColorsTuple = [
  "#e2e6ea",
  "#c8ced5",
  "#aeb6c0",
  "#838d99",
  "#4a535f",
  "#363d47",
  "#252b33",
  "#1c2026",
  "#14171b",
  "#0e1114",
];

export const theme = createTheme({
  colors: { leaf, dark },
  primaryColor: "leaf",
  primaryShade: { light: 7, dark: 7 },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, monospace",
  headings: { fontWeight: "650", sizes: { h1: { fontSize: "1.6rem" }, h2: { fontSize: "1.2rem" } } },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    // A number that cannot be is refused in a sentence, not changed without a word.
    NumberInput: { defaultProps: { clampBehavior: "none" } },
    // Mantine draws a <header>, which in a dialog counts as a second banner of the page.
    ModalHeader: { defaultProps: { role: "presentation" } },
  },
});

const COLORS = ["leaf", "red", "yellow", "orange", "green", "blue", "gray", "grape", "teal", "violet", "cyan", "lime"];

/** Mantine's own colours of small text are too weak on grey: ours are mixed with black or white until they are not. */
export const cssVariables: CSSVariablesResolver = () => {
  const light: Record<string, string> = {
    "--mantine-color-body": "#f7f8f9",
    "--mantine-color-dimmed": "#505863",
    "--mantine-color-placeholder": "#666e79",
    "--mantine-color-error": "#b3261e",
    "--mantine-color-disabled-color": "#5f6771",
    "--agt-card": "#ffffff",
    "--agt-line": "#d9dee4",
  };
  const dark: Record<string, string> = {
    "--mantine-color-body": "#14171b",
    "--mantine-color-dimmed": "#aeb6c0",
    "--mantine-color-placeholder": "#969ea8",
    "--mantine-color-error": "#ff9a92",
    "--mantine-color-disabled-color": "#a2aab4",
    "--mantine-color-anchor": "#54cda6",
    "--agt-card": "#1c2026",
    "--agt-line": "#3a414b",
  };
  for (const color of COLORS) {
    const shade = (index: number) => `var(--mantine-color-${color}-${index})`;
    const deep = color === "leaf" ? shade(7) : `color-mix(in srgb, ${shade(9)}, black 30%)`;
    const name = `--mantine-color-${color}`;
    light[`${name}-filled`] = deep;
    light[`${name}-filled-hover`] = `color-mix(in srgb, ${deep}, black 15%)`;
    light[`${name}-text`] = deep;
    light[`${name}-outline`] = deep;
    light[`${name}-light-color`] = `color-mix(in srgb, ${shade(9)}, black 40%)`;
    dark[`${name}-filled`] = deep;
    dark[`${name}-filled-hover`] = `color-mix(in srgb, ${deep}, white 12%)`;
    dark[`${name}-text`] = shade(3);
    dark[`${name}-outline`] = shade(3);
    // The deepest grey is the ground itself.
    const faint = shade(color === "gray" ? 7 : 9);
    dark[`${name}-light`] = `color-mix(in srgb, ${faint}, #1c2026 66%)`;
    dark[`${name}-light-hover`] = `color-mix(in srgb, ${faint}, #1c2026 55%)`;
    dark[`${name}-light-color`] = shade(1);
  }
  return { variables: {}, light, dark };
};
