import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "postgresql",
  schema: ["./migrations/schema.ts", "./migrations/panel-tables.ts", "./migrations/tool-tables.ts"],
  out: "./migrations/sql",
});
