import { useEffect, useRef, useState } from "react";
import { apiUrl } from "../../api.ts";
import { inClient } from "../../api-path.ts";

/** Lines that are kept: what is older is in the file. */
const KEPT = 2000;

export interface Line {
  id: number;
  text: string;
}

export interface Log {
  lines: readonly Line[];
  /** Lines that came while it was paused. */
  waiting: number;
  /** `open`: lines come; `lost`: trying again; `failed`: not any more. */
  state: "opening" | "open" | "lost" | "failed";
}

/** Follows a homeserver's log while `on`. Paused, what comes is held back. */
export function useLog(client: string, on: boolean, paused: boolean): Log {
  const [log, setLog] = useState<Log>({ lines: [], waiting: 0, state: "opening" });
  const all = useRef<Line[]>([]);
  const hold = useRef(paused);
  useEffect(() => {
    hold.current = paused;
    if (!paused) setLog((now) => ({ ...now, lines: [...all.current], waiting: 0 }));
  }, [paused]);
  useEffect(() => {
    if (!on) return;
    let count = 0;
    const source = new EventSource(apiUrl(inClient(client, "log")));
    // Each opening begins with the last lines again.
    source.onopen = () => {
      all.current = [];
      setLog((now) => ({ ...now, state: "open" }));
    };
    source.onerror = () =>
      setLog((now) => ({ ...now, state: source.readyState === EventSource.CLOSED ? "failed" : "lost" }));
    source.addEventListener("trouble", () => {
      source.close();
      setLog((now) => ({ ...now, state: "failed" }));
    });
    source.addEventListener("lines", (event: MessageEvent<string>) => {
      const { lines } = JSON.parse(event.data) as { lines: string[] };
      const added = lines.map((text) => ({ id: ++count, text }));
      all.current = [...all.current, ...added].slice(-KEPT);
      setLog((now) =>
        hold.current
          ? { ...now, waiting: now.waiting + lines.length }
          : { ...now, lines: [...all.current], waiting: 0 },
      );
    });
    return () => {
      source.close();
      all.current = [];
      setLog({ lines: [], waiting: 0, state: "opening" });
    };
  }, [client, on]);
  return log;
}
