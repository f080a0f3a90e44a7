import { Avatar, Button, FileButton, Group, Stack, Text } from "@mantine/core";
import { IconPhoto, IconRefresh } from "@tabler/icons-react";
import type { AvatarView } from "../../../api/agents-views.ts";
import { apiUrl, post, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { agentPath, type Definition } from "./definition.ts";
import { shrinkPicture } from "./shrink.ts";

const words = texts.agents.face;

interface Props {
  client: string;
  agent: string;
  /** Of the draft as it is saved: an uploaded face is shown from there. */
  revision: number;
  avatar: Definition["avatar"];
  onChange: (avatar: NonNullable<Definition["avatar"]>) => void;
}

/** A drawn face, another one, or a picture of one's own. */
export function FaceField({ client, agent, revision, avatar, onChange }: Props) {
  const upload = useSend(
    async (file: File) => await post<AvatarView>(inClient(client, "avatars"), { data: await shrinkPicture(file) }),
    { inline: true, onDone: ({ id }) => onChange({ kind: "uploaded", id }) },
  );
  const another = () => {
    upload.reset();
    onChange({ kind: "generated", seed: crypto.getRandomValues(new Uint32Array(1)).join("") });
  };
  return (
    <Stack gap="xs" role="group" aria-label={words.label}>
      <Text size="sm" fw={600} aria-hidden>
        {words.label}
      </Text>
      <Group gap="sm">
        <Avatar src={faceUrl({ client, agent, revision, avatar })} alt="" size={72} radius="md" />
        <Button variant="default" size="xs" leftSection={<IconRefresh size={16} aria-hidden />} onClick={another}>
          {words.another}
        </Button>
        <FileButton
          accept="image/png,image/jpeg,image/webp"
          inputProps={{ "aria-label": words.upload }}
          onChange={(file) => file && upload.mutate(file)}
        >
          {(props) => (
            <Button
              {...props}
              variant="default"
              size="xs"
              loading={upload.isPending}
              leftSection={<IconPhoto size={16} aria-hidden />}
            >
              {words.upload}
            </Button>
          )}
        </FileButton>
      </Group>
      <Trouble error={upload.error} />
    </Stack>
  );
}

function faceUrl({ client, agent, revision, avatar }: Omit<Props, "onChange">): string {
  if (avatar?.kind === "generated") return apiUrl(inClient(client, "faces"), { seed: avatar.seed });
  if (avatar) return apiUrl(inClient(client, "avatars", avatar.id));
  return apiUrl(agentPath(client, agent, "/avatar"), { of: "draft", v: String(revision) });
}
