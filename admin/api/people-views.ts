/** What the API says of people. */
import type { Device } from "../../homeserver/people.ts";
import type { PersonDetails, PersonRow, TeamOfPerson } from "../people.ts";
import { moment, z } from "./endpoint.ts";
import { iso } from "./iso.ts";

export const tenantRole = z.enum(["owner", "manager", "member", "auditor"]);
export const personState = z.enum(["active", "suspended", "deactivated"]);

export const personView = z
  .object({
    id: z.string().openapi({ example: "@ann:acme.example.org", description: "Matrix user id." }),
    name: z.string().nullable().openapi({ description: "The name that others see." }),
    state: personState,
    role: tenantRole,
    teams: z.array(z.object({ id: z.string(), name: z.string() })),
    lastSeenAt: moment.nullable(),
    createdAt: moment,
  })
  .openapi("Person");
export type PersonView = z.output<typeof personView>;

export const personDetails = personView
  .extend({
    erased: z.boolean().nullable().openapi({ description: "What they wrote is hidden from whoever joins later." }),
    locked: z
      .boolean()
      .openapi({ description: "Locked elsewhere: cannot even sign in. Lifting the suspension ends it." }),
    rooms: z.array(
      z.object({
        id: z.string(),
        name: z.string().nullable(),
        kind: z.enum(["space", "channel", "other"]),
        team: z.string().nullable(),
      }),
    ),
    stale: z.string().nullable().openapi({ description: "Why this may not be as it is now." }),
    blocked: z.string().nullable().openapi({ description: "Why the caller may change nothing about this person." }),
    self: z.boolean().openapi({ description: "It is the caller." }),
  })
  .openapi("PersonDetails");
export type PersonDetailsView = z.output<typeof personDetails>;

export const deviceView = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    lastSeenAt: moment.nullable(),
    address: z.string().nullable().openapi({ description: "From which it was last used." }),
    userAgent: z.string().nullable(),
  })
  .openapi("Device");
export type DeviceView = z.output<typeof deviceView>;

export const linkView = z
  .object({ url: z.string().openapi({ description: "Shown this once." }), expiresAt: moment })
  .openapi("OneTimeLink");
export type LinkView = z.output<typeof linkView>;

export const viewPerson = (row: PersonRow, teams: TeamOfPerson[] = []): PersonView => ({
  id: row.userId,
  name: row.name,
  state: row.state,
  role: row.role,
  teams,
  lastSeenAt: iso(row.lastSeenAt),
  createdAt: iso(row.createdAt),
});

export const viewDetails = (
  person: PersonDetails,
  more: { teams: TeamOfPerson[]; blocked: string | null; self: boolean },
): PersonDetailsView => ({
  ...viewPerson(person, more.teams),
  erased: person.erased,
  locked: person.locked,
  rooms: person.rooms,
  stale: person.stale,
  blocked: more.blocked,
  self: more.self,
});

export const viewDevice = (device: Device): DeviceView => ({ ...device, lastSeenAt: iso(device.lastSeenAt) });
