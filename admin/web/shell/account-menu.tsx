import { Button, type MantineColorScheme, Menu, useMantineColorScheme } from "@mantine/core";
import { IconLogout, IconUser } from "@tabler/icons-react";
import { Link } from "wouter";
import { post } from "../api.ts";
import { useMe } from "../me.tsx";
import { saidTrouble } from "../parts/said.tsx";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";

/** Who is signed in: account, appearance, sign out. */
export function AccountMenu() {
  const me = useMe();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          leftSection={<IconUser size={18} aria-hidden />}
          aria-label={texts.shell.accountMenu(me.name)}
          title={me.name}
          maw={{ base: 150, sm: 260 }}
        >
          <span className="agt-cut">{me.name}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{texts.shell.roles[me.role]}</Menu.Label>
        <Menu.Item component={Link} href={to.account()} leftSection={<IconUser size={16} aria-hidden />}>
          {texts.shell.account}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>{texts.shell.scheme}</Menu.Label>
        <Menu.RadioGroup value={colorScheme} onChange={(scheme) => setColorScheme(scheme as MantineColorScheme)}>
          {(["auto", "light", "dark"] as const).map((scheme) => (
            <Menu.RadioItem key={scheme} value={scheme}>
              {texts.shell.schemes[scheme]}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void signOut()}>
          {texts.shell.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

async function signOut(): Promise<void> {
  try {
    await post("/sign-out", undefined, { strangerToo: true });
    // A fresh page: nothing of what was seen stays in memory.
    location.assign("/panel/");
  } catch (error) {
    saidTrouble(error);
  }
}
