/** The tools that every client has: one line a file in `builtin/`. */

import { askPerson } from "./builtin/ask-person.ts";
import { calculate } from "./builtin/calculate.ts";
import { filesList } from "./builtin/files-list.ts";
import { filesRead } from "./builtin/files-read.ts";
import { filesSend } from "./builtin/files-send.ts";
import { filesTake } from "./builtin/files-take.ts";
import { filesWrite } from "./builtin/files-write.ts";
import { handOver } from "./builtin/hand-over.ts";
import { httpCall } from "./builtin/http-call.ts";
import { mailSend } from "./builtin/mail-send.ts";
import { roomInvite } from "./builtin/room-invite.ts";
import { roomMake } from "./builtin/room-make.ts";
import { roomMembers } from "./builtin/room-members.ts";
import { roomPin } from "./builtin/room-pin.ts";
import { roomPost } from "./builtin/room-post.ts";
import { roomRead } from "./builtin/room-read.ts";
import { roomTopic } from "./builtin/room-topic.ts";
import { runJavascript } from "./builtin/run-javascript.ts";
import { scheduleList } from "./builtin/schedule-list.ts";
import { scheduleMake } from "./builtin/schedule-make.ts";
import { scheduleRemove } from "./builtin/schedule-remove.ts";
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
  roomRead,
  roomPost,
  roomTopic,
  roomPin,
  roomMembers,
  roomInvite,
  roomMake,
  askPerson,
  handOver,
  scheduleMake,
  scheduleList,
  scheduleRemove,
];
