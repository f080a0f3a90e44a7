/** A chat with the agent as the form has it: asked over the API, heard over its stream. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { TryApproval } from "../../../../bots/try.ts";
import type { RunView } from "../../../api/runs-views.ts";
import { apiUrl, get, post } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { useLive } from "../../live.ts";
import { agentPath, type Definition } from "./definition.ts";

export interface TryAnswer {
  run: string;
  question: string;
  state: "queued" | "running" | "waiting" | "done" | "stopped" | "superseded" | "failed";
  text: string;
  error: string | null;
  /** What it asks before it goes on. */
  approvals: TryApproval[];
  done: boolean;
  /** From the question to the end, as it was waited here. */
  ms: number | null;
  tokens: number | null;
}

export interface TryChat {
  answers: TryAnswer[];
  busy: boolean;
  /** The stream was cut; the browser connects again. */
  lost: boolean;
  error: unknown;
  ask(text: string, definition: Definition): Promise<boolean>;
  stop(): void;
  startOver(): void;
  /** What did not work is no more news: something else was typed. */
  forget(): void;
}

export function useTry(client: string, agent: string): TryChat {
  const [chat, setChat] = useState<string | null>(null);
  const [answers, setAnswers] = useState<TryAnswer[]>([]);
  const [asking, setAsking] = useState(false);
  const [lost, setLost] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const askedAt = useRef(new Map<string, number>());
  const root = inClient(client);

  const hear = useCallback((heard: Omit<TryAnswer, "ms" | "tokens">) => {
    const since = askedAt.current.get(heard.run);
    const ms = heard.done && since !== undefined ? performance.now() - since : null;
    setAnswers((before) => {
      const known = before.find(({ run }) => run === heard.run);
      const now = { ...heard, ms: known?.ms ?? ms, tokens: known?.tokens ?? null };
      return known ? before.map((one) => (one.run === heard.run ? now : one)) : [...before, now];
    });
  }, []);
  const count = useCallback((run: string, tokens: number | null) => {
    setAnswers((before) => before.map((one) => (one.run === run ? { ...one, tokens } : one)));
  }, []);

  useEffect(() => {
    if (!chat) return;
    const counted = new Set<string>();
    const source = new EventSource(apiUrl(`${root}/try/${encodeURIComponent(chat)}/events`));
    source.addEventListener("run", (event) => {
      setLost(false);
      const heard = JSON.parse(event.data as string) as TryAnswer;
      hear(heard);
      if (!heard.done || counted.has(heard.run)) return;
      counted.add(heard.run);
      void tokensOf(root, heard.run).then((tokens) => count(heard.run, tokens));
    });
    source.addEventListener("open", () => setLost(false));
    source.addEventListener("error", () => setLost(true));
    return () => source.close();
  }, [chat, root, hear, count]);

  const heard = useLive() === "connected";
  useEffect(() => {
    if (heard) setError(null);
  }, [heard]);

  const fail = (problem: unknown) => {
    setError(problem);
    return false;
  };
  return {
    answers,
    busy: asking || answers.some(({ done }) => !done),
    lost,
    error,
    async ask(text, definition) {
      setError(null);
      setAsking(true);
      const since = performance.now();
      try {
        const opened = chat ?? (await post<{ chat: string }>(agentPath(client, agent, "/try"), {})).chat;
        const { run } = await post<{ run: string }>(`${root}/try/${encodeURIComponent(opened)}/messages`, {
          text,
          definition,
        });
        askedAt.current.set(run, since);
        // The stream may have said it already, or not be open yet.
        setAnswers((before) =>
          before.some((one) => one.run === run)
            ? before
            : [
                ...before,
                {
                  run,
                  question: text,
                  state: "queued",
                  text: "",
                  error: null,
                  approvals: [],
                  done: false,
                  ms: null,
                  tokens: null,
                },
              ],
        );
        setChat(opened);
        return true;
      } catch (problem) {
        return fail(problem);
      } finally {
        setAsking(false);
      }
    },
    stop() {
      if (chat) post(`${root}/try/${encodeURIComponent(chat)}/stop`).catch(fail);
    },
    forget: () => setError(null),
    startOver() {
      if (chat && answers.some(({ done }) => !done)) post(`${root}/try/${encodeURIComponent(chat)}/stop`).catch(fail);
      setChat(null);
      setAnswers([]);
      setError(null);
      setLost(false);
    },
  };
}

/** What the answer took, as the run has it; null when it cannot be told. */
async function tokensOf(root: string, run: string): Promise<number | null> {
  try {
    const { calls } = await get<RunView>(`${root}/runs/${encodeURIComponent(run)}`);
    return calls.reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0);
  } catch (problem) {
    console.warn(problem); // Only the figure is missing then.
    return null;
  }
}
