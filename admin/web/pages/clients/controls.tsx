import { Button } from "@mantine/core";
import { IconPlayerPlay, IconPlayerStop, IconRefresh } from "@tabler/icons-react";
import type { ClientView } from "../../../api/clients-views.ts";
import { post, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { askFirst } from "../../parts/ask.tsx";
import { texts } from "../../texts.ts";

const words = texts.clients.server;

/** Start, stop and restart, those that make sense now. */
export function Controls({ client }: { client: ClientView }) {
  const { details, state, id, title } = client;
  const act = (verb: "start" | "stop" | "restart") => () => post(inClient(id, verb));
  const start = useSend(act("start"), { topics: ["clients"], said: words.started });
  const stop = useSend(act("stop"), { topics: ["clients"], said: words.stopping });
  const restart = useSend(act("restart"), { topics: ["clients"], said: words.restarting });
  if (!details || state === "removing") return null;
  const askStop = async () => {
    const question = details.ours
      ? { title: words.stopTitle, text: words.stopText(title), yes: words.stopYes, danger: true }
      : { title: words.stopTheirsTitle, text: words.stopTheirsText(title), yes: words.stopTheirsYes, danger: true };
    if (await askFirst(question)) stop.mutate(undefined);
  };
  const askRestart = async () => {
    const question = { title: words.restartTitle, text: words.restartText(title), yes: words.restartYes };
    if (await askFirst(question)) restart.mutate(undefined);
  };
  if (details.desired === "stopped")
    return (
      <Button
        leftSection={<IconPlayerPlay size={18} aria-hidden />}
        loading={start.isPending}
        onClick={() => start.mutate(undefined)}
      >
        {words.start}
      </Button>
    );
  return (
    <>
      {details.ours && (
        <Button
          variant="default"
          leftSection={<IconRefresh size={18} aria-hidden />}
          loading={restart.isPending || details.restarting}
          onClick={() => void askRestart()}
        >
          {words.restart}
        </Button>
      )}
      <Button
        variant="default"
        leftSection={<IconPlayerStop size={18} aria-hidden />}
        loading={stop.isPending}
        onClick={() => void askStop()}
      >
        {words.stop}
      </Button>
    </>
  );
}
