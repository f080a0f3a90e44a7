/** Why a run under way is told to end. `shutdown` is ours: the run stays open and is taken up again at the next start. */
export class StopSignal extends Error {
  readonly reason: StopReason;
  constructor(reason: StopReason) {
    super(`stopped: ${reason}`);
    this.reason = reason;
  }
}

export type StopReason = "command" | "reaction" | "redacted" | "superseded" | "removed" | "operator" | "shutdown";

/** The runs that this process works on now. */
const underWay = new Map<string, AbortController>();

/** The signal of a run; the same one for as long as it is under way here. */
export function signalOf(runId: string): AbortSignal {
  const controller = underWay.get(runId) ?? new AbortController();
  underWay.set(runId, controller);
  return controller.signal;
}

/** Tells a run of this process to end; nothing happens when it is not here. */
export function signalStop(runId: string, reason: StopReason): void {
  underWay.get(runId)?.abort(new StopSignal(reason));
}

/** Ids of the runs that this process works on now. */
export const runsUnderWay = (): string[] => [...underWay.keys()];

export const isUnderWay = (runId: string): boolean => underWay.has(runId);

export function forgetSignal(runId: string): void {
  underWay.delete(runId);
}
