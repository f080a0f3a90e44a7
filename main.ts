/** `start` (all in one), `serve` (receives, keeps homeservers, answers HTTP), `worker` (routes and runs); all else is the command line. */
import "./core/light-drizzle.ts";

// Nothing more is imported before it is known what is wanted: `--help` should not wait for a platform to load.
const [command = ""] = process.argv.slice(2);
if (command === "start" || command === "serve" || command === "worker")
  await (await import("./admin/platform.ts")).runPlatform(command);
else process.exitCode = await (await import("./admin/cli/main.ts")).runCli(process.argv.slice(2));
