/** Which page stands at which address, and who is there to see it. */
import { Center, Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Route, Router, Switch, useLocation } from "wouter";
import { get, Problem } from "./api.ts";
import { type Me, MeProvider, useMe } from "./me.tsx";
import { PAGES, type PageEntry } from "./pages.ts";
import { Trouble } from "./parts/trouble.tsx";
import { ErrorBoundary } from "./shell/error-boundary.tsx";
import { NotFound } from "./shell/not-found.tsx";
import { Shell } from "./shell/shell.tsx";
import { texts } from "./texts.ts";

const LinkPage = lazy(() => import("./pages/link.tsx"));
const SignInPage = lazy(() => import("./pages/sign-in.tsx"));

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
  // A session that ends later is met by the dialog over the page: what is known of `me` stays.
  if (asked.data) return <Pages me={asked.data} />;
  if (asked.error instanceof Problem && asked.error.status === 401)
    return <SignInPage onDone={() => void asked.refetch()} />;
  if (asked.error) return <Trouble error={asked.error} again={() => void asked.refetch()} />;
  return <Waiting late={asked.failureCount > 0} />;
}

function Pages({ me }: { me: Me }) {
  const [location] = useLocation();
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
  const [location] = useLocation();
  const elsewhere = me.client !== null && /^\/c\//.test(location) && !location.startsWith(`/c/${me.client.id}`);
  const may = page.needs === undefined || me.rights.includes(page.needs);
  if (!may || elsewhere || (page.platform && me.role !== "operator")) return <NotFound />;
  return <page.component />;
}

/** While something loads; when nothing answers, it says so. */
function Waiting({ late = false }: { late?: boolean }) {
  return (
    <Center mih="40vh" role="status" aria-label={texts.shell.loading}>
      {late ? texts.shell.reconnecting : <Loader aria-hidden />}
    </Center>
  );
}
