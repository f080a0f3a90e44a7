/** The tools that every client has: one line a file in `builtin/`. */
import type { Tool } from "./tool.ts";

export const BUILT_IN: Tool[] = [];
