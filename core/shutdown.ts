import { AppError } from "./errors.ts";

/** What was started and how it ends: in the opposite order, once. */
export interface Shutdown {
  /** Something was started. When the end has begun meanwhile, it is ended at once and `Interrupted` is thrown. */
  add(name: string, stop: () => void | Promise<void>): Promise<void>;
  /** Ends everything. A part that fails or takes too long is reported and left behind. */
  run(): Promise<void>;
  readonly begun: boolean;
}

/** The start was cut short by a signal. */
export class Interrupted extends Error {}

/** `report` gets what did not end as it should. No part may take longer than `partMs`. */
export function createShutdown(report: (name: string, error: unknown) => void, partMs = 12_000): Shutdown {
  const parts: { name: string; stop: () => void | Promise<void> }[] = [];
  let running: Promise<void> | undefined;

  async function end({ name, stop }: (typeof parts)[number]): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new AppError("internal", `${name} did not end in ${partMs / 1000} s.`)), partMs);
    });
    try {
      await Promise.race([stop(), late]);
    } catch (error) {
      report(name, error);
    } finally {
      clearTimeout(timer);
    }
  }

  async function endAll(): Promise<void> {
    for (let part = parts.pop(); part; part = parts.pop()) await end(part);
  }

  return {
    get begun() {
      return running !== undefined;
    },
    async add(name, stop) {
      if (running) {
        await end({ name, stop });
        throw new Interrupted();
      }
      parts.push({ name, stop });
    },
    run() {
      running ??= endAll();
      return running;
    },
  };
}
