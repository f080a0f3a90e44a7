/** Takes apart what a model says: its thoughts are not shown. */
export interface ThoughtFilter {
  /** Feeds a piece of the stream; returns true when the visible text changed. */
  push(piece: string): boolean;
  /** The stream is over: what was held back becomes text. Returns true when the visible text changed. */
  end(): boolean;
  /** Everything to be shown so far. */
  readonly text: string;
  /** Characters of thoughts so far. */
  readonly thought: number;
}

const OPENING = ["<think>", "<thinking>", "<thought>", "<reasoning>"];

/**
 * Local models write their thoughts into the answer, as `<think>…</think>` before it (DeepSeek R1, Qwen 3, QwQ and others);
 * servers without a parser for the model pass them on. Only a tag that the answer begins with counts: an answer that
 * speaks about such tags keeps them. Chat templates of some models open the tag in the prompt, so that only the end
 * comes: `openedInPrompt` says that this model is one of them, and everything up to a first `</think>` is taken for thoughts.
 */
export function createThoughtFilter(options: { openedInPrompt?: boolean } = {}): ThoughtFilter {
  let state: "start" | "thinking" | "text" = "start";
  let held = "";
  let text = "";
  let thought = 0;
  let closing = "</think>";
  let mayEndThinking = options.openedInPrompt === true;

  const startOfText = (rest: string) => {
    state = "text";
    held = "";
    text = rest.trimStart();
  };

  const think = (piece: string) => {
    const searchFrom = Math.max(0, held.length - closing.length);
    held += piece;
    const at = held.indexOf(closing, searchFrom);
    if (at < 0) return false;
    thought += at;
    startOfText(held.slice(at + closing.length));
    return text !== "";
  };

  const speak = (piece: string) => {
    text = text === "" ? piece.trimStart() : text + piece;
    if (!mayEndThinking) return piece !== "";
    const at = text.indexOf("</think>", Math.max(0, text.length - piece.length - 8));
    if (at < 0) return piece !== "";
    mayEndThinking = false;
    thought += at;
    text = text.slice(at + 8).trimStart();
    return true;
  };

  const speakHeld = () => {
    const piece = held;
    startOfText("");
    return speak(piece);
  };

  const begin = (piece: string) => {
    held += piece;
    const lead = held.trimStart();
    const tag = OPENING.find((opening) => lead.startsWith(opening));
    if (tag) {
      state = "thinking";
      closing = `</${tag.slice(1)}`;
      mayEndThinking = false;
      const rest = lead.slice(tag.length);
      held = "";
      return think(rest);
    }
    if (OPENING.some((opening) => opening.startsWith(lead))) return false;
    return speakHeld();
  };

  return {
    push: (piece) => (state === "text" ? speak(piece) : state === "thinking" ? think(piece) : begin(piece)),
    end() {
      if (state === "thinking") thought += held.length;
      if (state !== "start" || held.trim() === "") return false;
      return speakHeld();
    },
    get text() {
      return text;
    },
    get thought() {
      return thought;
    },
  };
}
