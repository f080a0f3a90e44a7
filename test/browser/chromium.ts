import chromium from "@sparticuz/chromium";
import { type Browser, chromium as engine } from "playwright-core";

/** The Chromium that an npm package carries: no download, no system packages. */
export async function startChromium(): Promise<Browser> {
  // Its arguments are made for a lambda: in a single process, closing one page's context ends the whole browser.
  const args = chromium.args.filter((arg) => arg !== "--single-process" && arg !== "--no-zygote");
  return await engine.launch({ executablePath: await chromium.executablePath(), args, headless: true });
}
