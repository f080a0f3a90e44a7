/** Paths in a client's file area: `folder/name`. They are names in a table and never paths of a disk. Pure. */
import { AppError } from "../../core/errors.ts";

export const MOST_PATH = 300;

/** Control characters, line breaks, halves of pairs, and what hides text or turns its direction. */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/u;

/** The path as it is kept (NFC). Throws `invalid` with a sentence. */
export function filePath(text: string): string {
  const path = text.normalize("NFC");
  const problem = pathProblem(path);
  if (problem) throw new AppError("invalid", problem);
  return path;
}

/** A folder's path; "" is the whole area. One slash at the end is allowed. */
export function folderPath(text: string): string {
  const path = text.trim().replace(/\/$/, "");
  return path === "" ? "" : filePath(path);
}

/** The same where nobody is told yet what is wrong with it: as it was written. */
export function pathOrText(read: (text: string) => string, text: string): string {
  try {
    return read(text);
  } catch (error) {
    // Whoever does it says so.
    if (error instanceof AppError) return text;
    throw error;
  }
}

function pathProblem(path: string): string | null {
  if (path === "") return "A file needs a path like reports/march.md.";
  if (path.length > MOST_PATH) return `A path has at most ${MOST_PATH} characters.`;
  if (UNSEEN.test(path)) return "A path has no line breaks, control characters and invisible characters.";
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part !== part.trim()))
    return "A path is folders and a name with one slash between them, as reports/march.md: no slash at its ends, no empty part, no spaces around parts.";
  for (const form of formsOf(path))
    if (/[\\\0]/.test(form) || form.split("/").some((part) => /^\.{1,2}$/.test(part.trim())))
      return "A path goes down only: no part is . or .., and nothing stands for a backslash.";
  if (formsOf(path).some((form) => form.split("/").length !== parts.length)) return "A path has plain slashes only.";
  return null;
}

/** As written, and as somebody may read it who undoes escapes or replaces look-alikes (NFKC makes ".." of "‥"). */
function formsOf(path: string): string[] {
  const forms = [path];
  for (let at = path, round = 0; round < 3; round++) {
    at = at.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escaped) => decoded(escaped));
    forms.push(at);
  }
  return forms.flatMap((form) => [form, form.normalize("NFKC")]);
}

const decoded = (escaped: string): string => Buffer.from(escaped.replaceAll("%", ""), "hex").toString("utf8");
