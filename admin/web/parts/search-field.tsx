import { TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";

interface Props {
  label: string;
  value: string;
  onChange: (asked: string) => void;
}

/** Where one types what a list is searched for. */
export const SearchField = ({ label, value, onChange }: Props) => (
  <TextInput
    aria-label={label}
    placeholder={label}
    leftSection={<IconSearch size={16} aria-hidden />}
    value={value}
    onChange={(event) => onChange(event.currentTarget.value)}
    maxLength={100}
    w="100%"
    maw={420}
  />
);
