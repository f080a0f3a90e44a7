/** Files of agents: faces, and an agent as one file that goes from client to client. */
import { definitionOf } from "../../bots/agent-rows.ts";
import { type AgentRow, getAgent } from "../../bots/agents.ts";
import {
  drawFace,
  faceOf,
  findPicture,
  keepPicture,
  MAX_PICTURE,
  type PictureFile,
  readPicture,
} from "../../bots/pictures.ts";
import { exportAgent, importAgent, MAX_FILE } from "../../bots/portable.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import { agentOf, faceMark, sayingWhy } from "./agent-answers.ts";
import { avatarBody, avatarQuery, avatarView, faceQuery, importBody, importedView } from "./agents-views.ts";
import { byline } from "./caller.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const ONE = "/clients/{client}/agents/{agent}";

export const agentFileEndpoints = (ctx: Context): Endpoint[] => [...faces(ctx), ...files(ctx)];

const faces = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: `${ONE}/avatar`,
      action: "agents.read",
      tag: "agents",
      summary: "Its face: PNG or JPEG",
      query: avatarQuery,
      answer: "file",
    },
    async ({ params, query, may, http }) => {
      const row = await find(ctx, params);
      const all = may("agents.read_definition");
      if (!all && row.state !== "active" && row.state !== "paused")
        throw new AppError("not_found", "There is no such agent, or it is not published yet.");
      const draft = query.of === "draft" && all ? row.draft : null;
      const definition = draft ?? definitionOf(row);
      const mark = faceMark(faceOf(row.id, definition));
      return await picture(http, mark, () => readPicture(ctx, row.tenantId, { id: row.id, definition }));
    },
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/avatars/{avatar}",
      action: "agents.read_definition",
      tag: "agents",
      summary: "A picture that was uploaded",
      answer: "file",
    },
    async ({ params, http }) => {
      const found = await findPicture(ctx, params.client, params.avatar);
      if (!found) throw new AppError("not_found", "There is no such picture. Upload it again.");
      return await picture(http, faceMark(`picture:${params.avatar}`), () => Promise.resolve(found));
    },
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/faces",
      action: "agents.read",
      tag: "agents",
      summary: "The face that is drawn from a seed",
      query: faceQuery,
      answer: "file",
    },
    async ({ query, http }) =>
      picture(http, faceMark(`drawn:${query.seed}`), () => Promise.resolve(drawFace(query.seed))),
  ),
  endpoint(
    {
      method: "post",
      path: "/clients/{client}/avatars",
      action: "agents.write",
      auditAs: "agents.upload_picture",
      tag: "agents",
      summary: "Upload a picture for an agent: PNG or JPEG, at most 1 MB",
      body: avatarBody,
      answer: avatarView,
      status: 201,
      creates: true,
      maxBody: Math.ceil(MAX_PICTURE * 1.4),
    },
    async ({ params, body, audit }) => {
      await getTenant(ctx, params.client);
      const bytes = Buffer.from(body.data, "base64");
      const id = await keepPicture(ctx, params.client, bytes);
      audit({ target: { kind: "picture", id }, after: { bytes: bytes.length } });
      return { id };
    },
  ),
];

const files = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: `${ONE}/export`,
      action: "agents.read_definition",
      tag: "agents",
      summary: "The agent as one file, without secrets and without names of people",
      answer: "file",
    },
    async ({ params }) => {
      const row = await find(ctx, params);
      const file = JSON.stringify(await exportAgent(ctx, row), null, 2);
      return new Response(file, {
        headers: {
          "content-type": "application/json; charset=utf-8",
          "content-disposition": `attachment; filename="agent.json"; filename*=UTF-8''${encodeURIComponent(`${row.name}.agent.json`)}`,
          "cache-control": "no-store",
        },
      });
    },
  ),
  endpoint(
    {
      method: "post",
      path: "/clients/{client}/agents/import",
      action: "agents.write",
      auditAs: "agents.import",
      tag: "agents",
      summary: "Write an agent from such a file: a draft, with remarks on what was not taken over",
      body: importBody,
      answer: importedView,
      status: 201,
      creates: true,
      // Within JSON a file of line breaks and quotes is up to twice as long.
      maxBody: MAX_FILE * 2 + 100_000,
    },
    async ({ params, body, caller, audit }) => {
      await getTenant(ctx, params.client);
      const wish = { tenantId: params.client, file: body.file, by: byline(caller) };
      const { row, remarks } = await sayingWhy(importAgent(ctx, wish));
      audit({ target: { kind: "agent", id: row.id, name: row.name }, after: { name: row.name } });
      return { agent: await agentOf(ctx, row, true), remarks };
    },
  ),
];

async function find(ctx: Context, { client, agent }: { client: string; agent: string }): Promise<AgentRow> {
  await getTenant(ctx, client);
  return await getAgent(ctx, client, agent);
}

type Http = { req: { header(name: string): string | undefined } };

/** A face may change under the same address: browsers ask again after a minute, and get it only when it is another one. */
async function picture(http: Http, mark: string, read: () => Promise<PictureFile>): Promise<Response> {
  const headers = {
    etag: `"${mark}"`,
    "cache-control": "private, max-age=60",
    "x-content-type-options": "nosniff",
  };
  if (http.req.header("if-none-match") === headers.etag) return new Response(null, { status: 304, headers });
  const { bytes, contentType } = await read();
  return new Response(Buffer.from(bytes), { headers: { ...headers, "content-type": contentType } });
}
