import { texts } from "../texts.ts";
import { PublicPage } from "./session/public.tsx";
import { SignInForm } from "./sign-in-form.tsx";

/** The page for who is not signed in. `onDone`: the page that was wanted is drawn in its place. */
export default function SignInPage({ onDone }: { onDone: () => void }) {
  return (
    <PublicPage title={texts.shell.pages.signIn}>
      <SignInForm onDone={onDone} />
    </PublicPage>
  );
}
