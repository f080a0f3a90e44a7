import { defineConfig } from "vitest/config";

const shared = {
  // Processes of their own: a test file that changes the environment or leaks changes nothing for the next one.
  pool: "forks" as const,
  // matrix-js-sdk looks for localStorage, which Node then warns about.
  execArgv: ["--disable-warning=ExperimentalWarning"],
  exclude: ["**/node_modules/**", ".agentopia/**", ".runtime/**"],
};

/** They kill as well, but measure no time: two of them may run at once. */
const UNHURRIED = ["test/crash/approvals.test.ts", "test/crash/forms.test.ts", "test/crash/schedules.test.ts"];

export default defineConfig({
  test: {
    reporters: ["default", "./test/harness/closing-line.ts"],
    globalSetup: ["test/harness/postgres-once.ts"],
    silent: "passed-only",
    slowTestThreshold: 5000,
    projects: [
      {
        extends: true,
        test: {
          ...shared,
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...shared.exclude, "test/e2e/**", "test/crash/**"],
          testTimeout: 20_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          ...shared,
          name: "e2e",
          include: ["test/e2e/**/*.test.ts", ...UNHURRIED],
          testTimeout: 60_000,
          hookTimeout: 240_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          ...shared,
          name: "crash",
          include: ["test/crash/**/*.test.ts"],
          exclude: [...shared.exclude, ...UNHURRIED],
          testTimeout: 300_000,
          hookTimeout: 240_000,
          // They measure how soon things are back, so nothing else should want the processors.
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
