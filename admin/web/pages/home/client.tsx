import type { ClientHomeView } from "../../../api/home.ts";
import { useGet } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { useMe } from "../../me.tsx";
import { Page } from "../../parts/page.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { Waiting } from "../../parts/waiting.tsx";
import { texts } from "../../texts.ts";
import { AttentionList } from "./attention.tsx";
import { Mine } from "./mine.tsx";
import { Steps } from "./steps.tsx";
import { Today } from "./today.tsx";

const words = texts.home;
const TOPICS = ["clients", "runs", "agents", "teams", "people", "invites"] as const;

/** Of a client: for those who run it what needs a look, for its people what is theirs. */
export function ClientHome({ client }: { client: string }) {
  const me = useMe();
  const { data, error, refetch } = useGet<ClientHomeView>(TOPICS, inClient(client, "home"));
  const title = me.kind === "operator" ? (data?.client.title ?? client) : words.hello(me.name);
  return (
    <Page title={title} lead={me.kind === "operator" ? data?.client.serverName : data?.client.title}>
      <Trouble error={data ? null : error} again={() => void refetch()} />
      {!data && !error && <Waiting lines={4} height={76} />}
      {data?.today && (
        <AttentionList items={data.attention} allGood={data.agentsMet ? words.allGoodClient : words.allGoodNoAgents} />
      )}
      {data?.steps && <Steps steps={data.steps} />}
      {data?.today && <Today today={data.today} />}
      {data?.mine && <Mine home={data} mine={data.mine} />}
    </Page>
  );
}
