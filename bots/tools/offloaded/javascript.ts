/** Programs by QuickJS, compiled to WebAssembly: an instance of its own for each, with no way to anything outside of it. */
import {
  newQuickJSWASMModule,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  RELEASE_SYNC,
} from "quickjs-emscripten";
import { AppError } from "../../../core/errors.ts";
import { oneLine } from "../one-line.ts";

/** In pages of 64 KiB. QuickJS's own limit counts no more than single allocations when it is compiled by Emscripten. */
const PAGES = { initial: 256, maximum: 256 + 512 };
/** Node's types know only its types. */
const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: new (pages: typeof PAGES) => object } })
  .WebAssembly;
const STACK = 256 * 1024;
const MOST_CHARS = 20_000;

/** What the program printed, and its last value as JSON. Throws AppError that says what it died of. */
export async function run(given: { code: string; timeoutMs: number }): Promise<{ printed: string; value: string }> {
  const variant = newVariant(RELEASE_SYNC, { wasmMemory: new Memory(PAGES) as never });
  const runtime = (await newQuickJSWASMModule(variant)).newRuntime();
  runtime.setMaxStackSize(STACK);
  const until = performance.now() + given.timeoutMs;
  const late = () => performance.now() > until;
  runtime.setInterruptHandler(late);
  // Nothing of it is disposed of: the instance is dropped as a whole, in whatever state the program left it.
  const vm = runtime.newContext();
  const lines = addConsole(vm);
  try {
    const value = evaluate(vm, given.code, late);
    return { printed: lines.join("\n"), value };
  } catch (cause) {
    const why = late() ? `it ran longer than ${given.timeoutMs / 1000} s and was stopped` : reason(cause);
    const before = lines.length === 0 ? "" : ` Before that it printed:\n${lines.join("\n")}`;
    throw new AppError("invalid", `The program failed: ${why}.${before}`, { cause });
  }
}

class ProgramError extends Error {}

/** WebAssembly's own stack may end before QuickJS's does. */
const reason = (error: unknown): string =>
  error instanceof ProgramError
    ? error.message
    : error instanceof RangeError
      ? "it calls itself too deeply"
      : "it broke the machine it ran in";

/** `console.log` and its like: lines of at most `MOST_CHARS` characters altogether. */
function addConsole(vm: QuickJSContext): string[] {
  const lines: string[] = [];
  let left = MOST_CHARS;
  const toText = textMaker(vm);
  const print = vm.newFunction("log", (...values) => {
    if (left <= 0) return;
    const line = values.map((value) => (vm.typeof(value) === "string" ? vm.getString(value) : toText(value))).join(" ");
    lines.push(line.length < left ? line : `${line.slice(0, left)}… (what follows was not kept)`);
    left -= line.length + 1;
  });
  const console = vm.newObject();
  for (const name of ["log", "info", "warn", "error", "debug"]) vm.setProp(console, name, print);
  vm.setProp(vm.global, "console", console);
  return lines;
}

/** JSON is made inside, within the program's limits, by what the program cannot replace. */
function textMaker(vm: QuickJSContext): (value: QuickJSHandle) => string {
  const make = opened(
    vm,
    vm.evalCode(
      `(({ stringify }, string) => (value, most) => {
        const named = value instanceof Error ? string(value) : stringify(value, (_, one) => typeof one === "bigint" ? string(one) : one);
        const text = named === undefined ? string(value) : named;
        return text.length > most ? text.slice(0, most) + "… (" + text.length + " characters)" : text;
      })(JSON, String)`,
    ),
  );
  return (value) => vm.getString(opened(vm, vm.callFunction(make, vm.undefined, value, vm.newNumber(MOST_CHARS))));
}

/** The value of the last line, or what an `await` or `return` at the top gives. */
function evaluate(vm: QuickJSContext, code: string, late: () => boolean): string {
  const toText = textMaker(vm);
  const first = vm.evalCode(code, "program.js");
  const message = first.error ? describe(vm, first.error) : "";
  const value =
    message.startsWith("SyntaxError") && /\b(await|return)\b/.test(code)
      ? opened(vm, vm.evalCode(`(async () => {${code}\n})()`, "program.js"))
      : opened(vm, first, message);
  return toText(settled(vm, value, late));
}

/** A promise's value. Throws when nothing will ever settle it: there are no timers and nothing to wait for. */
function settled(vm: QuickJSContext, value: QuickJSHandle, late: () => boolean): QuickJSHandle {
  let state = vm.getPromiseState(value);
  while (vm.runtime.hasPendingJob() && !late()) {
    const { error } = vm.runtime.executePendingJobs(1000);
    if (error) throw new ProgramError(describe(vm, error));
    state = vm.getPromiseState(value);
  }
  if (state.type === "fulfilled") return state.value;
  if (state.type === "rejected") throw new ProgramError(describe(vm, state.error));
  throw new ProgramError("it waits for something that never comes; there are no timers and there is no network");
}

type Result = ReturnType<QuickJSContext["evalCode"]>;

function opened(vm: QuickJSContext, result: Result, message?: string): QuickJSHandle {
  if (result.error) throw new ProgramError(message || describe(vm, result.error));
  return result.value;
}

/** "TypeError: x is not a function (program.js:3)". */
function describe(vm: QuickJSContext, error: QuickJSHandle): string {
  const word = (name: string) => {
    const value = vm.getProp(error, name);
    return vm.typeof(value) === "string" ? oneLine(vm.getString(value).slice(0, 2000), 500) : "";
  };
  if (vm.typeof(error) !== "object") return `it threw ${oneLine(String(vm.dump(error)), 500)}`;
  const at = /program\.js:(\d+)/.exec(word("stack"))?.[1];
  return `${word("name") || "it threw an object"}: ${word("message")}${at ? ` (line ${at})` : ""}`;
}
