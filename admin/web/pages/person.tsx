import { Page } from "../parts/page.tsx";
import { texts } from "../texts.ts";

export default function Placeholder() {
  return <Page title={texts.shell.pages.person} />;
}
