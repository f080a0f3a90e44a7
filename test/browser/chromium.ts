import chromium from "@sparticuz/chromium";
import { type Browser, chromium as engine } from "playwright-core";

/** The Chromium that an npm package carries: no download, no system packages. */
export async function startChromium(): Promise<Browser> {
  // Not the package's own arguments: they are made for a lambda (one process, no web security, and a graphics card in software, which
  // takes twice as long to draw). Root and containers have no sandbox, and often little shared memory.
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--font-render-hinting=none"];
  return await engine.launch({ executablePath: await chromium.executablePath(), args, headless: true });
}
