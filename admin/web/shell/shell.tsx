import { Anchor, AppShell, Burger, Group, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation } from "wouter";
import { listenLive, useLive } from "../live.ts";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";
import { AccountMenu } from "./account-menu.tsx";
import { Navigation } from "./navigation.tsx";
import { SignInDialog } from "./sign-in-dialog.tsx";

/** The frame around every page of who is signed in: head, navigation (a drawer on a phone), content. */
export function Shell({ children }: { children: ReactNode }) {
  const [open, { toggle, close }] = useDisclosure(false);
  const main = useFocusOnGo();
  useEffect(listenLive, []);
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 250, breakpoint: "sm", collapsed: { mobile: !open } }}
      padding={{ base: "md", sm: "lg" }}
    >
      <button type="button" className="agt-skip" onClick={() => main.current?.focus()}>
        {texts.shell.skip}
      </button>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger
              opened={open}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={open ? texts.shell.closeNavigation : texts.shell.openNavigation}
              aria-expanded={open}
            />
            <Anchor component={Link} href={to.home()} fw={700} size="lg" underline="never">
              {texts.shell.product}
            </Anchor>
          </Group>
          <AccountMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar
        p="xs"
        aria-label={texts.shell.navigation}
        style={{ overflowY: "auto" }}
        className={open ? undefined : "agt-closed"}
      >
        <Navigation onGo={close} />
      </AppShell.Navbar>
      <AppShell.Main id="main" ref={main} tabIndex={-1}>
        {children}
      </AppShell.Main>
      <Away />
      <SignInDialog />
    </AppShell>
  );
}

/** A small hint while the platform does not answer; it goes by itself. */
function Away() {
  const live = useLive();
  return (
    <div role="status" className={live === "away" ? "agt-away" : undefined}>
      {live === "away" && <Text size="sm">{texts.shell.reconnecting}</Text>}
    </div>
  );
}

/** After going to another page the keyboard and the screen reader begin at its content. */
function useFocusOnGo() {
  const main = useRef<HTMLElement>(null);
  const [location] = useLocation();
  const before = useRef(location);
  useEffect(() => {
    if (before.current === location) return;
    before.current = location;
    main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [location]);
  return main;
}
