/** Fields that the invite form and the import share. */
import { NativeSelect } from "@mantine/core";
import { useGet } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { useMe } from "../../me.tsx";
import { texts } from "../../texts.ts";

interface Team {
  id: string;
  name: string;
}

/** The client's teams; undefined while they are on their way. */
export const useTeams = (client: string): Team[] | undefined =>
  useGet<{ items: Team[] }>("teams", inClient(client, "teams"), { limit: 100 }).data?.items;

interface TeamFieldProps {
  teams: Team[] | undefined;
  label: string;
  description?: string;
  value: string | undefined;
  onChange: (id: string) => void;
}

/** Nothing where there are no teams. */
export const TeamField = ({ teams, label, description, value, onChange }: TeamFieldProps) =>
  teams?.length === 0 ? null : (
    <NativeSelect
      label={label}
      description={description}
      value={value ?? ""}
      disabled={teams === undefined}
      onChange={(event) => onChange(event.currentTarget.value)}
      data={(teams ?? []).map(({ id, name }) => ({ value: id, label: name }))}
    />
  );

/** Roles that one may give to new people: owners are made by owners. */
export function RoleField({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (role: string) => void;
}) {
  const me = useMe();
  const roles = (["member", "auditor", "manager", "owner"] as const).filter(
    (role) => (role !== "owner" && role !== "auditor") || me.rights.includes("roles.write"),
  );
  return (
    <NativeSelect
      label={label}
      description={texts.people.roleHelp[value as keyof typeof texts.people.roleHelp]}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      data={roles.map((role) => ({ value: role, label: texts.shell.roles[role] }))}
    />
  );
}
