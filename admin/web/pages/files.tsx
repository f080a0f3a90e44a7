import { Button, FileButton, Group, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconUpload } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import type { FilesAnswer, FileView } from "../../api/files.ts";
import { del, put, usePages, useSend } from "../api.ts";
import { inClient } from "../api-path.ts";
import { useMay, useThisClient } from "../me.tsx";
import { askFirst } from "../parts/ask.tsx";
import { Empty } from "../parts/empty.tsx";
import { Page } from "../parts/page.tsx";
import { PagedTable } from "../parts/paged-table.tsx";
import { saidDone } from "../parts/said.tsx";
import { Problem } from "../problem.ts";
import { texts } from "../texts.ts";
import { fileColumns } from "./files/columns.tsx";

const words = texts.files;
const MOST = 10_000_000;

/** The client's own file area: what people put there and what agents keep. */
export default function FilesPage() {
  const client = useThisClient();
  const may = useMay("tools.write");
  const [typed, setTyped] = useState("");
  const [folder] = useDebouncedValue(typed.trim().replace(/^\/+|\/+$/g, ""), 250);
  const pages = usePages<FileView, Pick<FilesAnswer, "area">>("tools", inClient(client, "files"), { folder });
  const { mutate: remove } = useSend((path: string) => del(inClient(client, "files", path)), {
    topics: ["tools"],
    said: (_, path) => words.removed(path),
  });
  const columns = useMemo(() => {
    const ask = async (path: string) => {
      const question = { title: words.removeTitle(path), text: words.removeText, yes: words.removeYes };
      if (await askFirst({ ...question, danger: true })) remove(path);
    };
    return fileColumns(client, may ? (path) => void ask(path) : null);
  }, [client, may, remove]);
  const upload = may && <Upload client={client} folder={folder} there={pages.items} />;
  const area = pages.first?.area;
  return (
    <Page title={words.title} lead={words.lead} actions={upload}>
      <Group align="flex-end" justify="space-between">
        <TextInput
          label={words.folder}
          description={may ? words.folderHint : undefined}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          maxLength={300}
          autoCapitalize="none"
          spellCheck={false}
        />
        {area && (
          <Text size="sm" c="dimmed">
            {words.used(words.bytes(area.bytes), words.bytes(area.mostBytes))}
          </Text>
        )}
      </Group>
      <PagedTable
        label={words.label}
        columns={columns}
        pages={pages}
        rowKey={({ path }) => path}
        empty={
          folder ? (
            <Empty title={words.noneHere} text={words.noneHereText} />
          ) : (
            <Empty title={words.none} text={may ? words.noneText : words.noneToRead} action={upload} />
          )
        }
      />
    </Page>
  );
}

function Upload({ client, folder, there }: { client: string; folder: string; there: FileView[] }) {
  const sending = useSend(
    async (files: File[]) => {
      const sent: string[] = [];
      for (const file of files) {
        if (file.size > MOST) throw new Problem({ status: 413, code: "too_large", detail: words.tooLarge(file.name) });
        const path = folder === "" ? file.name : `${folder}/${file.name}`;
        if (!(await mayReplace(path, there))) continue;
        // Without a type the browser knows none: then the server tells it by the name.
        await put(inClient(client, "files", path), new Blob([file], { type: file.type || "application/octet-stream" }));
        sent.push(path);
      }
      return sent;
    },
    {
      topics: ["tools"],
      onDone: ([first, ...more]) => first !== undefined && saidDone(words.uploaded(more.length + 1, first)),
    },
  );
  return (
    <FileButton multiple onChange={(files) => files.length > 0 && sending.mutate(files)}>
      {(props) => (
        <Button {...props} leftSection={<IconUpload size={18} aria-hidden />} loading={sending.isPending}>
          {words.upload}
        </Button>
      )}
    </FileButton>
  );
}

async function mayReplace(path: string, there: FileView[]): Promise<boolean> {
  if (!there.some((file) => file.path === path.normalize("NFC"))) return true;
  const question = { title: words.replaceTitle(path), text: words.replaceText, yes: words.replaceYes };
  return await askFirst({ ...question, danger: true });
}
