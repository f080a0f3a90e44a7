/** An answer as a Matrix app shows it. Made of elements, never of HTML that a model wrote; no pictures and nothing remote. */
import { Anchor, Code, List, Table } from "@mantine/core";
import type { Token, Tokens } from "marked";
import { Fragment, type ReactNode } from "react";
import { tokensOf } from "./markdown-tokens.ts";

export default function Markdown({ text }: { text: string }) {
  const tokens = tokensOf(text);
  return (
    <div className="agt-markdown">{tokens ? blocks(tokens) : <p style={{ whiteSpace: "pre-wrap" }}>{text}</p>}</div>
  );
}

const each = (tokens: Token[] | undefined, draw: (token: Token) => ReactNode): ReactNode =>
  // biome-ignore lint/suspicious/noArrayIndexKey: a text that only grows
  (tokens ?? []).map((token, at) => <Fragment key={at}>{draw(token)}</Fragment>);
const blocks = (tokens: Token[] | undefined) => each(tokens, block);
const inlines = (tokens: Token[] | undefined) => each(tokens, inline);

function block(token: Token): ReactNode {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "heading":
      return <p className="agt-md-heading">{inlines(token.tokens)}</p>;
    case "paragraph":
      return <p>{inlines(token.tokens)}</p>;
    case "code":
      return <Code block>{(token as Tokens.Code).text}</Code>;
    case "blockquote":
      return <blockquote>{blocks(token.tokens)}</blockquote>;
    case "hr":
      return <hr />;
    case "list":
      return list(token as Tokens.List);
    case "table":
      return table(token as Tokens.Table);
    default:
      return inline(token);
  }
}

const list = ({ ordered, items, start }: Tokens.List) => (
  <List type={ordered ? "ordered" : "unordered"} {...(ordered && start !== "" ? { start } : {})} size="sm">
    {items.map((item, at) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: a text that only grows
      <List.Item key={at}>{blocks(item.tokens)}</List.Item>
    ))}
  </List>
);

const table = ({ header, rows }: Tokens.Table) => (
  <Table.ScrollContainer minWidth={320}>
    <Table withTableBorder withColumnBorders fz="sm">
      <Table.Thead>
        <Table.Tr>
          {header.map((cell, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: columns keep their place
            <Table.Th key={at}>{inlines(cell.tokens)}</Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((row, line) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a text that only grows
          <Table.Tr key={line}>
            {row.map((cell, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: columns keep their place
              <Table.Td key={at}>{inlines(cell.tokens)}</Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  </Table.ScrollContainer>
);

function inline(token: Token): ReactNode {
  switch (token.type) {
    case "strong":
      return <strong>{inlines(token.tokens)}</strong>;
    case "em":
      return <em>{inlines(token.tokens)}</em>;
    case "del":
      return <del>{inlines(token.tokens)}</del>;
    case "codespan":
      return <Code>{(token as Tokens.Codespan).text}</Code>;
    case "br":
      return <br />;
    case "link": {
      const { href, tokens } = token as Tokens.Link;
      if (!/^(https?|mailto):/i.test(href)) return inlines(tokens);
      return (
        <Anchor href={href} target="_blank" rel="noreferrer noopener" inherit>
          {inlines(tokens)}
        </Anchor>
      );
    }
    case "text":
      return "tokens" in token && token.tokens ? inlines(token.tokens) : (token as Tokens.Text).text;
    default:
      return token.raw;
  }
}
