import { writeSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

/** Ends the output of a run with one plain line, `N passed, N failed`, whatever else is printed at the end. */
export default class ClosingLine implements Reporter {
  #line = "0 passed, 1 failed";

  constructor() {
    // Teardown and vitest's own summary print after the last hook: only the exit of the process comes later.
    process.on("exit", () => writeSync(1, `${this.#line}\n`));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    this.#line = closingLine(modules, unhandled.length);
  }
}

/** What failed outside of a test (a file that did not load, an unhandled rejection) counts as a failure too. */
function closingLine(modules: readonly TestModule[], unhandled: number): string {
  const count = { passed: 0, failed: unhandled, skipped: 0, pending: 0 };
  for (const module of modules) {
    if (module.errors().length > 0) count.failed++;
    for (const suite of module.children.allSuites()) if (suite.errors().length > 0) count.failed++;
    for (const test of module.children.allTests()) count[test.result().state]++;
  }
  const notRun = count.skipped + count.pending;
  return `${count.passed} passed, ${count.failed} failed${notRun > 0 ? `, ${notRun} skipped` : ""}`;
}
