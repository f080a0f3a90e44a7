import path from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The panel, built into a folder that setup.mjs names; the platform serves it at /panel/. */
export default defineConfig({
  root: import.meta.dirname,
  base: "/panel/",
  plugins: [react()],
  resolve: { alias: { "@rjsf/validator-ajv8": path.join(import.meta.dirname, "parts/schema/no-ajv.ts") } },
  build: {
    outDir: path.resolve(import.meta.dirname, "../../.runtime/panel"),
    emptyOutDir: true,
    // The policy of our pages allows no data: scripts or fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2_000,
    rolldownOptions: { input: ["index.html", "docs.html"].map((page) => path.join(import.meta.dirname, page)) },
    reportCompressedSize: false,
  },
  logLevel: "warn",
});
