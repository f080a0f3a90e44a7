import { NavLink, Stack, Text } from "@mantine/core";
import {
  IconActivity,
  IconBook2,
  IconBuilding,
  IconChartBar,
  IconClock,
  IconCpu,
  IconFiles,
  IconForms,
  IconHandStop,
  IconHome,
  IconListDetails,
  IconMail,
  IconRobot,
  IconServer,
  IconShieldLock,
  IconSitemap,
  IconTemplate,
  IconTool,
  IconUsers,
} from "@tabler/icons-react";
import type { ComponentType } from "react";
import { Link, useLocation } from "wouter";
import type { Action } from "../../rights.ts";
import { useClient, useClientTitle, useMe } from "../me.tsx";
import { WaitingBadge } from "../pages/approvals/waiting-badge.tsx";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";
import { ClientSwitch } from "./client-switch.tsx";

interface Item {
  title: string;
  href: string;
  icon: ComponentType<{ size?: number; "aria-hidden"?: boolean }>;
  needs?: Action;
  /** Shows how much waits there. */
  counts?: boolean;
}

const { pages } = texts.shell;

const platformItems: Item[] = [
  { title: pages.home, href: to.home(), icon: IconHome },
  { title: pages.clients, href: to.clients(), icon: IconBuilding, needs: "clients.list" },
  { title: pages.models, href: to.models(null), icon: IconCpu, needs: "models.read" },
  { title: pages.runs, href: to.runs(null), icon: IconActivity, needs: "runs.read" },
  { title: pages.usage, href: to.usage(null), icon: IconChartBar, needs: "usage.read" },
  { title: pages.audit, href: to.audit(null), icon: IconListDetails, needs: "audit.read_all" },
  { title: pages.operators, href: to.operators(), icon: IconShieldLock, needs: "operators.read" },
];

const clientItems = (client: string): Item[] => [
  { title: pages.home, href: to.home(client), icon: IconHome },
  { title: pages.agents, href: to.agents(client), icon: IconRobot, needs: "agents.read" },
  { title: pages.templates, href: to.templates(client), icon: IconTemplate, needs: "templates.read" },
  { title: pages.teams, href: to.teams(client), icon: IconSitemap, needs: "teams.read" },
  { title: pages.people, href: to.people(client), icon: IconUsers, needs: "people.read" },
  { title: pages.invites, href: to.invites(client), icon: IconMail, needs: "invites.read" },
  { title: pages.models, href: to.models(client), icon: IconCpu, needs: "models.read" },
  { title: pages.forms, href: to.forms(client), icon: IconForms, needs: "forms.read" },
  { title: pages.tools, href: to.tools(client), icon: IconTool, needs: "tools.read" },
  { title: pages.approvals, href: to.approvals(client), icon: IconHandStop, needs: "approvals.read", counts: true },
  { title: pages.schedules, href: to.schedules(client), icon: IconClock, needs: "schedules.read" },
  { title: pages.files, href: to.files(client), icon: IconFiles, needs: "tools.read" },
  { title: pages.runs, href: to.runs(client), icon: IconActivity, needs: "runs.read_own" },
  { title: pages.usage, href: to.usage(client), icon: IconChartBar, needs: "usage.read" },
  { title: pages.audit, href: to.audit(client), icon: IconListDetails, needs: "audit.read" },
  { title: pages.client, href: to.homeserver(client), icon: IconServer, needs: "clients.control" },
];

/** What they may go to: for operators the platform and, inside a client, that client. */
export function Navigation({ onGo }: { onGo: () => void }) {
  const me = useMe();
  const client = useClient();
  const title = useClientTitle();
  const operator = me.role === "operator";
  return (
    <Stack gap="md" pb="md">
      {operator && <ClientSwitch onGo={onGo} />}
      {client !== null && (
        <div>
          {/* Operators read it in the box above. */}
          {!operator && (
            <Text fw={650} px="sm" pb={4} size="sm" lineClamp={1}>
              {title}
            </Text>
          )}
          <Items items={clientItems(client)} onGo={onGo} />
        </div>
      )}
      {operator && (
        <div>
          <Text fw={650} px="sm" pb={4} size="sm">
            {texts.shell.platform}
          </Text>
          <Items items={platformItems} onGo={onGo} />
        </div>
      )}
      <NavLink
        component="a"
        href="/api/docs"
        label={pages.apidocs}
        leftSection={<IconBook2 size={18} aria-hidden />}
        className="agt-nav"
      />
    </Stack>
  );
}

function Items({ items, onGo }: { items: Item[]; onGo: () => void }) {
  const { rights } = useMe();
  const [location] = useLocation();
  const shown = items.filter(({ needs }) => needs === undefined || rights.includes(needs));
  // The first one is a home: a person's own stands at the beginning of all addresses too.
  const here =
    location === "/" || location === ""
      ? shown[0]?.href
      : shown
          .filter(({ href }) => isAt(location, href))
          .sort((a, b) => b.href.length - a.href.length)
          .at(0)?.href;
  return (
    <>
      {shown.map(({ title, href, icon: Icon, counts }) => (
        <NavLink
          key={href}
          component={Link}
          href={href}
          label={title}
          leftSection={<Icon size={18} aria-hidden />}
          active={href === here}
          aria-current={href === here ? "page" : undefined}
          onClick={onGo}
          rightSection={counts ? <WaitingBadge /> : undefined}
          className="agt-nav"
          py={5}
        />
      ))}
    </>
  );
}

/** Homes stand at the beginning of other addresses; rooms belong to their teams. */
function isAt(location: string, href: string): boolean {
  const here = location.replace(/^(\/c\/[^/]+)\/rooms\//, "$1/teams/");
  const home = href === "/" || /^\/c\/[^/]+$/.test(href);
  return here === href || (!home && here.startsWith(`${href}/`));
}
