import type { RunView } from "../../../api/runs-views.ts";

type Call = RunView["calls"][number];
type Tool = RunView["tools"][number];

/** What stands where: model calls, and after each the tools that it asked for. As `bots/run-tools.ts` has it for reports. */
export function inOrder({
  calls,
  tools,
}: Pick<RunView, "calls" | "tools">): ({ call: Call; tool?: never } | { tool: Tool; call?: never })[] {
  const left = [...tools];
  return [
    ...calls.flatMap((call) => {
      const before = left.splice(0, left.findLastIndex(({ at }) => at < call.at) + 1);
      return [...before.map((tool) => ({ tool })), { call }];
    }),
    ...left.map((tool) => ({ tool })),
  ];
}

/** It has not come to its end: it may wait for somebody. */
export const isUnderWay = ({ state }: Pick<RunView, "state">): boolean =>
  state === "queued" || state === "running" || state === "waiting";
