/** One's own account: password, second factor, sessions, API tokens, appearance. */
import { SegmentedControl, SimpleGrid, useMantineColorScheme } from "@mantine/core";
import { useMe } from "../me.tsx";
import { Page } from "../parts/page.tsx";
import { texts } from "../texts.ts";
import { ApiTokens } from "./session/api-tokens.tsx";
import { FactorSection } from "./session/factor-section.tsx";
import { PasswordSection } from "./session/password-section.tsx";
import { Section } from "./session/section.tsx";
import { Sessions } from "./session/sessions.tsx";

const words = texts.session;

export default function AccountPage() {
  const me = useMe();
  const operator = me.kind === "operator";
  const lead = operator
    ? words.account.operator
    : words.account.person(texts.shell.roles[me.role], me.client?.title ?? "");
  return (
    <Page title={words.account.title} lead={`${operator ? me.name : me.id} · ${lead}`}>
      <SimpleGrid cols={{ base: 1, lg: operator ? 3 : 2 }}>
        <PasswordSection me={me} />
        {operator && <FactorSection name={me.name} />}
        <Appearance />
      </SimpleGrid>
      <Sessions />
      <ApiTokens me={me} />
    </Page>
  );
}

function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Section title={words.look.title} text={words.look.label}>
      <SegmentedControl
        aria-label={words.look.label}
        value={colorScheme}
        onChange={(scheme) => setColorScheme(scheme as typeof colorScheme)}
        data={(["auto", "light", "dark"] as const).map((value) => ({ value, label: texts.shell.schemes[value] }))}
      />
    </Section>
  );
}
