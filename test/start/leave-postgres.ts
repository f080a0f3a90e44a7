/** `node leave-postgres.ts HOME PORT`: starts a Postgres and is gone without a word, as after `kill -9`. */
import pino from "pino";
import { startPostgres } from "../../core/postgres.ts";

const [home = "", port] = process.argv.slice(2);
await startPostgres({ home, port: Number(port), log: pino({ level: "silent" }), say: () => undefined });
process.kill(process.pid, "SIGKILL");
