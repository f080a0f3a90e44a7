/** Many people from a CSV file: choose, look at what would happen, make the links. */

import { Alert, Button, Checkbox, Code, FileInput, Group, Modal, NumberInput, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconDownload, IconFileImport } from "@tabler/icons-react";
import { useState } from "react";
import type { ImportView } from "../../../api/invites.ts";
import { fieldErrors, Problem, post, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { looksBinary } from "../../parts/binary.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { RoleField, TeamField, useTeams } from "../invites/fields.tsx";
import { ImportTable } from "./import-table.tsx";

const words = texts.people.importer;
const MOST_BYTES = 1_000_000;

interface Wish {
  csv: string;
  teamId?: string;
  role: string;
  ttlDays: number;
  renew: boolean;
}

type Step =
  | { kind: "file" }
  | { kind: "preview"; view: ImportView; wish: Wish; team: string | undefined }
  | { kind: "done"; view: ImportView };

export function ImportPeople({ client, opened, close }: { client: string; opened: boolean; close: () => void }) {
  const [step, setStep] = useState<Step>({ kind: "file" });
  const shut = () => {
    close();
    setStep({ kind: "file" });
  };
  return (
    <Modal
      opened={opened}
      onClose={shut}
      title={words.title}
      size="xl"
      // Links that are shown once are not lost by a click beside the window.
      closeOnClickOutside={step.kind === "file"}
      closeOnEscape={step.kind !== "done"}
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      {step.kind === "file" && (
        <ChooseFile client={client} onLooked={(looked) => setStep({ kind: "preview", ...looked })} />
      )}
      {step.kind === "preview" && (
        <Preview
          client={client}
          view={step.view}
          wish={step.wish}
          team={step.team}
          back={() => setStep({ kind: "file" })}
          onMade={(view) => setStep({ kind: "done", view })}
        />
      )}
      {step.kind === "done" && <Made view={step.view} close={shut} />}
    </Modal>
  );
}

const pathOf = (client: string, rest = "") => `${inClient(client, "people", "import")}${rest}`;

interface ChooseFileProps {
  client: string;
  /** `team`: the name of the one for lines without one. */
  onLooked: (looked: { view: ImportView; wish: Wish; team: string | undefined }) => void;
}

function ChooseFile({ client, onLooked }: ChooseFileProps) {
  const teams = useTeams(client);
  const [file, setFile] = useState<File | null>(null);
  const [chosenTeam, setTeamId] = useState<string>();
  const teamId = chosenTeam ?? teams?.[0]?.id;
  const [role, setRole] = useState("member");
  const [days, setDays] = useState<number | string>(14);
  const [renew, setRenew] = useState(false);
  const look = useSend(
    async (chosen: File) => {
      const team = teamId ? { teamId } : {};
      const csv = await textOf(chosen);
      if (looksBinary(csv)) throw new Problem({ status: 0, code: "invalid", detail: words.noCsv });
      const wish: Wish = { csv, ...team, role, ttlDays: Number(days), renew };
      const name = teams?.find(({ id }) => id === teamId)?.name;
      return { view: await post<ImportView>(pathOf(client, "/preview"), wish), wish, team: name };
    },
    { inline: true, onDone: onLooked },
  );
  const problems = fieldErrors(look.error);
  const tooLarge = file !== null && file.size > MOST_BYTES;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (file && !tooLarge) look.mutate(file);
      }}
    >
      <Stack>
        <Text>{words.intro}</Text>
        <Text size="sm">{words.columns}</Text>
        <div>
          <Text size="sm" c="dimmed">
            {words.exampleLabel}
          </Text>
          <Code block>{words.example}</Code>
        </div>
        <FileInput
          label={words.file}
          placeholder={words.choose}
          accept=".csv,.txt,.tsv,text/csv,text/plain"
          value={file}
          onChange={(chosen) => {
            setFile(chosen);
            look.reset();
          }}
          required
          clearable
          clearButtonProps={{ "aria-label": words.back }}
          error={tooLarge ? words.tooLarge : undefined}
          leftSection={<IconFileImport size={16} aria-hidden />}
        />
        <Group grow align="start" preventGrowOverflow={false}>
          <TeamField teams={teams} label={words.team} value={teamId} onChange={setTeamId} />
          <RoleField label={words.role} value={role} onChange={setRole} />
          <NumberInput
            label={words.days}
            min={1}
            max={366}
            value={days}
            onChange={setDays}
            allowDecimal={false}
            error={problems.ttlDays}
          />
        </Group>
        <Checkbox label={words.renew} checked={renew} onChange={(event) => setRenew(event.currentTarget.checked)} />
        {problems.ttlDays === undefined && <Trouble error={look.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={look.isPending} disabled={!file || tooLarge}>
            {words.preview}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Spreadsheets on Windows still write their old character set. */
async function textOf(file: File): Promise<string> {
  const bytes = await file.arrayBuffer();
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes); // not UTF-8: what else it could be
  }
}

interface PreviewProps {
  client: string;
  view: ImportView;
  wish: Wish;
  team: string | undefined;
  back: () => void;
  onMade: (view: ImportView) => void;
}

function Preview({ client, view, wish, team, back, onMade }: PreviewProps) {
  const { invite, exists, problem } = view.counts;
  const make = useSend(() => post<ImportView>(pathOf(client), wish), {
    topics: ["invites", "people"],
    inline: true,
    onDone: onMade,
  });
  return (
    <Stack>
      <Text role="status">{words.counts(invite, exists, problem)}</Text>
      <ImportTable rows={view.rows} team={team} />
      {invite === 0 && <Alert color="yellow">{words.nothing}</Alert>}
      <Trouble error={make.error} />
      <Group justify="space-between">
        <Button variant="default" onClick={back}>
          {words.back}
        </Button>
        <Button loading={make.isPending} disabled={invite === 0} onClick={() => make.mutate(undefined)}>
          {words.make(invite)}
        </Button>
      </Group>
    </Stack>
  );
}

function Made({ view, close }: { view: ImportView; close: () => void }) {
  const links = view.rows.filter(({ url }) => url !== null).map(({ username, url }) => `${username}: ${url}`);
  return (
    <Stack>
      <Text role="status" fw={600}>
        {words.done(view.counts.invite)}
      </Text>
      <Alert color="yellow" icon={<IconAlertTriangle aria-hidden />}>
        {words.once}
      </Alert>
      <ImportTable rows={view.rows} links />
      <Group justify="space-between">
        <Group gap="xs">
          <Button leftSection={<IconDownload size={16} aria-hidden />} onClick={() => download(view.csv ?? "")}>
            {words.download}
          </Button>
          <CopyButton size="sm" text={links.join("\n")} label={words.copyAll} />
        </Group>
        <Button variant="default" onClick={close}>
          {words.close}
        </Button>
      </Group>
    </Stack>
  );
}

function download(csv: string): void {
  const url = URL.createObjectURL(new Blob([csv], { type: "text/csv;charset=utf-8" }));
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = words.fileName;
  anchor.click();
  URL.revokeObjectURL(url);
}
