/** Which page stands at which address, and who is there to see it. */
import { Center, Loader, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Suspense, useEffect, useState } from "react";
import { matchRoute, Route, Router, Switch, useLocation, useRouter } from "wouter";
import { get, Problem } from "./api.ts";
import { lazyPage, useCodeIsLate } from "./load-page.ts";
import { type Me, MeProvider, useClientIsGone, useMe } from "./me.tsx";
import { PAGES, type PageEntry } from "./pages.ts";
import { Trouble } from "./parts/trouble.tsx";
import { queries } from "./queries.ts";
import { ErrorBoundary } from "./shell/error-boundary.tsx";
import { NotFound } from "./shell/not-found.tsx";
import { Shell } from "./shell/shell.tsx";
import { texts } from "./texts.ts";

const LinkPage = lazyPage(() => import("./pages/link.tsx"));
/** How long the first page is left alone, and how long the browser has between two pages' code. */
const REST_MS = 2500;
const NEXT_MS = 50;
const SignInPage = lazyPage(() => import("./pages/sign-in.tsx"));

export function App() {
  const [location] = useLocation();
  return (
    <Router base="/panel">
      <ErrorBoundary at={location}>
        <Suspense fallback={<Waiting />}>
          <Switch>
            <Route path="/link/:token">
              <LinkPage />
            </Route>
            <Route>
              <SignedIn />
            </Route>
          </Switch>
        </Suspense>
      </ErrorBoundary>
    </Router>
  );
}

/** Everything but the public pages: for who is signed in; others sign in at the same address. */
function SignedIn() {
  const asked = useQuery({
    // A client's name and a person's role are in it.
    queryKey: [["session", "clients", "people", "operators"], "/me", {}],
    queryFn: () => get<Me>("/me", {}, { strangerToo: true }),
    retry: (_, error) => !(error instanceof Problem) || error.status === 0 || error.status >= 500,
    retryDelay: 2000,
  });
  const coded = useFirstCode();
  // A session that ends later is met by the dialog over the page: what is known of `me` stays.
  if (asked.data && coded) return <Pages me={asked.data} />;
  if (asked.error instanceof Problem && asked.error.status === 401)
    return <SignInPage onDone={() => void asked.refetch()} />;
  if (asked.error) return <Trouble error={asked.error} again={() => void asked.refetch()} />;
  return <Waiting late={asked.failureCount > 0} />;
}

/** Fetches the code of the page at the address while it is asked who is there. True when it is here, or could not be fetched now. */
function useFirstCode(): boolean {
  const { parser } = useRouter();
  const [location] = useLocation();
  const [here, setHere] = useState(false);
  const [first] = useState(() => PAGES.find(({ path }) => matchRoute(parser, path, location)[0]));
  useEffect(() => {
    void (first?.component.ahead() ?? Promise.resolve()).then(() => setHere(true));
  }, [first]);
  return here;
}

function Pages({ me }: { me: Me }) {
  const [location] = useLocation();
  useEffect(() => fetchAhead(PAGES.filter((page) => isFor(page, me))), [me]);
  return (
    <MeProvider me={me}>
      <Shell>
        <ErrorBoundary at={location}>
          <Suspense fallback={<Waiting />}>
            <Switch>
              {PAGES.map((page) => (
                <Route path={page.path} key={page.path}>
                  <Allowed page={page} />
                </Route>
              ))}
              <Route>
                <NotFound />
              </Route>
            </Switch>
          </Suspense>
        </ErrorBoundary>
      </Shell>
    </MeProvider>
  );
}

/** The page, or what stands at an address that they may not see. The API decides anyway; this spares them its refusals. */
function Allowed({ page }: { page: PageEntry }) {
  const me = useMe();
  const removed = useClientIsGone();
  const [location] = useLocation();
  const elsewhere = me.client !== null && /^\/c\//.test(location) && !location.startsWith(`/c/${me.client.id}`);
  if (!isFor(page, me) || elsewhere) return <NotFound />;
  if (removed) return <NotFound text={texts.shell.clientRemoved} />;
  return <page.component />;
}

const isFor = (page: PageEntry, me: Me): boolean =>
  (page.needs === undefined || me.rights.includes(page.needs)) && (!page.platform || me.role === "operator");

/** Once the first page rests, the code of the others: going on works while the platform is away. Returns what ends it. */
function fetchAhead(pages: readonly PageEntry[]): () => void {
  let over = false;
  const one = async () => {
    if (queries.isFetching() === 0) await pages[at++]?.component.ahead();
    if (!over && at < pages.length) timer = setTimeout(() => void one(), NEXT_MS);
  };
  let at = 0;
  let timer = setTimeout(() => void one(), REST_MS);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

/** While something loads; when nothing answers, it says so. */
function Waiting({ late = false }: { late?: boolean }) {
  const codeIsLate = useCodeIsLate();
  const away = late || codeIsLate;
  return (
    <Center mih="40vh" role="status" aria-label={away ? undefined : texts.shell.loading}>
      {away ? (
        <Title order={1} size="h4">
          {texts.shell.awayNow}
        </Title>
      ) : (
        <Loader aria-hidden />
      )}
    </Center>
  );
}
