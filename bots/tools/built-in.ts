/** The tools that every client has: one line a file in `builtin/`. */

import { calculate } from "./builtin/calculate.ts";
import { filesList } from "./builtin/files-list.ts";
import { filesRead } from "./builtin/files-read.ts";
import { filesSend } from "./builtin/files-send.ts";
import { filesTake } from "./builtin/files-take.ts";
import { filesWrite } from "./builtin/files-write.ts";
import { httpCall } from "./builtin/http-call.ts";
import { mailSend } from "./builtin/mail-send.ts";
import { runJavascript } from "./builtin/run-javascript.ts";
import { time } from "./builtin/time.ts";
import { webFetch } from "./builtin/web-fetch.ts";
import { webSearch } from "./builtin/web-search.ts";
import type { Tool } from "./tool.ts";

export const BUILT_IN: Tool[] = [
  filesList,
  filesRead,
  filesSend,
  filesTake,
  filesWrite,
  mailSend,
  calculate,
  httpCall,
  runJavascript,
  time,
  webFetch,
  webSearch,
];
