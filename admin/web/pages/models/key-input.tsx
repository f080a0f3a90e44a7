import { PasswordInput, type PasswordInputProps } from "@mantine/core";
import { texts } from "../../texts.ts";

/** A key goes in and never comes out; browsers shall not offer to keep it as somebody's password. */
export const KeyInput = (props: PasswordInputProps) => (
  <PasswordInput
    label={texts.models.form.key}
    maxLength={2000}
    autoComplete="off"
    data-1p-ignore
    data-lpignore="true"
    {...props}
  />
);
