/** What a one-time link opens: a password for an operator, a sign-in, a new Matrix password. */
import { Anchor, Button, List, Loader, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { LinkView, Me } from "../../api/session-views.ts";
import { get, post, useSend } from "../api.ts";
import { useParam } from "../me.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { When } from "../parts/when.tsx";
import { Problem } from "../problem.ts";
import { texts } from "../texts.ts";
import { NewPasswordFields, NO_PASSWORD, newPasswordProblem } from "./session/new-password.tsx";
import { PublicPage } from "./session/public.tsx";
import { SetUpSecondFactor } from "./session/second-factor.tsx";
import { CodeField } from "./sign-in-form.tsx";

const words = texts.session.link;
const OPERATOR_LEAST = 10;
const MATRIX_LEAST = 8;
const PANEL = "/panel/";

/** A fresh page: the token is not in its address, and the session is read anew. */
const toPanel = () => location.replace(PANEL);

export default function LinkPage() {
  const token = useParam("token");
  const asked = useQuery({
    queryKey: ["link", token],
    queryFn: () => get<LinkView>(`/links/${encodeURIComponent(token)}`, {}, { strangerToo: true }),
    staleTime: Number.POSITIVE_INFINITY, // once used it is over: what it was stays on the page
    refetchOnWindowFocus: false,
    retry: (count, error) => count < 3 && !(error instanceof Problem && error.status >= 400 && error.status < 500),
  });
  if (asked.error)
    return (
      <PublicPage title={words.broken}>
        <Trouble error={asked.error} />
        <Anchor href={PANEL}>{words.toSignIn}</Anchor>
      </PublicPage>
    );
  if (!asked.data)
    return (
      <PublicPage title={texts.shell.pages.link}>
        <Loader aria-label={words.loading} />
      </PublicPage>
    );
  if (asked.data.kind === "operator") return <OperatorLink token={token} link={asked.data} />;
  if (asked.data.kind === "password") return <MatrixLink token={token} link={asked.data} />;
  return <PersonLink token={token} link={asked.data} />;
}

interface Props {
  token: string;
  link: LinkView;
}

/** Sends what the link needs. */
const useLink = (token: string) =>
  useSend(
    (typed: { password?: string; code?: string }) =>
      post<{ me: Me | null }>(`/links/${encodeURIComponent(token)}`, typed, { strangerToo: true }),
    { inline: true },
  );

function OperatorLink({ token, link }: Props) {
  const [typed, setTyped] = useState(NO_PASSWORD);
  const [code, setCode] = useState("");
  const [unlike, setUnlike] = useState<string | null>(null);
  const using = useLink(token);
  if (using.data) return <Protect name={link.name} offered={!link.needsCode} />;
  return (
    <PublicPage title={words.operatorTitle(link.name)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const problem = newPasswordProblem(typed);
          setUnlike(problem);
          if (!problem && !using.isPending)
            using.mutate({ password: typed.password, ...(link.needsCode ? { code } : {}) });
        }}
      >
        <Stack>
          <Text>
            {words.operatorName(link.name)} {words.operatorText}
          </Text>
          <NewPasswordFields
            value={typed}
            onChange={setTyped}
            name={link.name}
            least={OPERATOR_LEAST}
            problem={unlike}
            autoFocus
          />
          {link.needsCode && <Text size="sm">{words.operatorCode}</Text>}
          {link.needsCode && <CodeField value={code} onChange={setCode} focus={false} />}
          <Trouble error={using.error} />
          <Button type="submit" loading={using.isPending}>
            {words.setPassword}
          </Button>
          <Ends link={link} />
        </Stack>
      </form>
    </PublicPage>
  );
}

/** Right after the first password: the second factor, or on to the panel. */
function Protect({ name, offered }: { name: string; offered: boolean }) {
  const [setsUp, setSetsUp] = useState(false);
  return (
    <PublicPage title={offered ? words.protectTitle : words.operatorTitle(name)}>
      {setsUp ? (
        <SetUpSecondFactor name={name} onDone={toPanel} />
      ) : (
        <Stack>
          {offered && <Text>{words.protectText}</Text>}
          {offered && <Button onClick={() => setSetsUp(true)}>{words.protect}</Button>}
          <Button variant={offered ? "default" : "filled"} onClick={toPanel}>
            {offered ? words.later : words.go}
          </Button>
        </Stack>
      )}
    </PublicPage>
  );
}

function PersonLink({ token, link }: Props) {
  const using = useLink(token);
  return (
    <PublicPage title={words.personTitle(link.client?.title ?? "")}>
      <Text>{words.personText(link.name)}</Text>
      <Trouble error={using.error} />
      <Button loading={using.isPending || using.isSuccess} onClick={() => using.mutate({}, { onSuccess: toPanel })}>
        {words.enter}
      </Button>
      <Ends link={link} />
    </PublicPage>
  );
}

function MatrixLink({ token, link }: Props) {
  const [typed, setTyped] = useState(NO_PASSWORD);
  const [unlike, setUnlike] = useState<string | null>(null);
  const using = useLink(token);
  if (using.data)
    return (
      <PublicPage title={words.matrixDone}>
        <Text>{words.matrixDoneText(link.name)}</Text>
        <Anchor href={PANEL}>{words.matrixPanel}</Anchor>
      </PublicPage>
    );
  return (
    <PublicPage title={words.matrixTitle}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const problem = newPasswordProblem(typed);
          setUnlike(problem);
          if (!problem && !using.isPending) using.mutate({ password: typed.password });
        }}
      >
        <Stack>
          <Text>{words.matrixText(link.name, link.client?.title ?? "")}</Text>
          <List size="sm" spacing={4}>
            {words.matrixWhat.map((what) => (
              <List.Item key={what}>{what}</List.Item>
            ))}
          </List>
          <NewPasswordFields
            value={typed}
            onChange={setTyped}
            name={link.name.slice(1).split(":")[0] ?? ""}
            least={MATRIX_LEAST}
            problem={unlike}
          />
          <Trouble error={using.error} />
          <Button type="submit" loading={using.isPending}>
            {words.matrixSend}
          </Button>
          <Ends link={link} />
        </Stack>
      </form>
    </PublicPage>
  );
}

const Ends = ({ link }: { link: LinkView }) => (
  <Text size="sm" c="dimmed">
    {words.ends} <When at={link.expiresAt} exactly />
  </Text>
);
