import { Button, Stack, Text, Title } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { texts } from "../texts.ts";

/** A page that breaks says so in a sentence; the frame around it stays. A new `at` (the address) is a new try. */
export class ErrorBoundary extends Component<{ at: string; children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override componentDidUpdate(before: { at: string }) {
    if (before.at !== this.props.at && this.state.broken) this.setState({ broken: false });
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <Stack align="flex-start" role="alert">
        <Title order={1}>{texts.shell.brokenTitle}</Title>
        <Text>{texts.shell.broken}</Text>
        <Button onClick={() => location.reload()}>{texts.shell.reload}</Button>
      </Stack>
    );
  }
}
