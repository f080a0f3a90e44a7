import type { OperatorHomeView } from "../../../api/home.ts";
import { useGet } from "../../api.ts";
import { useMe } from "../../me.tsx";
import { Page } from "../../parts/page.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { Waiting } from "../../parts/waiting.tsx";
import { texts } from "../../texts.ts";
import { AttentionList } from "./attention.tsx";
import { Begin } from "./begin.tsx";
import { Clients } from "./clients.tsx";
import { Today } from "./today.tsx";

const words = texts.home;

export function OperatorHome() {
  const { name } = useMe();
  const { data, error, refetch } = useGet<OperatorHomeView>(["clients", "runs", "operators"], "/home");
  return (
    <Page title={words.hello(name)}>
      <Trouble error={data ? null : error} again={() => void refetch()} />
      {!data && !error && <Waiting lines={4} height={76} />}
      {data?.fresh && <Begin demo={data.fresh.demo} />}
      {data && <AttentionList items={data.attention} allGood={words.allGoodOperator} />}
      {data && data.clients.length > 0 && <Clients clients={data.clients} />}
      {data && <Today today={data.today} />}
    </Page>
  );
}
