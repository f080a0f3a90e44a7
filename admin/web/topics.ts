import type { Tag } from "../api/endpoint.ts";

/** What a page's facts are about: a change under a topic makes open pages look again. */
export type Topic = Tag;
export type Topics = Topic | readonly Topic[];
