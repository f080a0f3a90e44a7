import { Button } from "@mantine/core";
import type { Pages } from "../api.ts";
import { Empty } from "./empty.tsx";

interface Words {
  none: string;
  noneText: string;
  noneFits: string;
  noneFitsText: string;
  /** So far. */
  noneHere: string;
  further: string;
}

interface Props {
  pages: Pick<Pages<unknown>, "hasMore" | "loadingMore" | "more">;
  filtered: boolean;
  words: Words;
}

/** In place of an empty list. Some filters look through so many rows at a time: where they found none, they can go on. */
export function Nothing({ pages, filtered, words }: Props) {
  if (pages.hasMore)
    return (
      <Empty
        title={words.noneFits}
        text={words.noneHere}
        action={
          <Button variant="default" loading={pages.loadingMore} onClick={pages.more}>
            {words.further}
          </Button>
        }
      />
    );
  return filtered ? (
    <Empty title={words.noneFits} text={words.noneFitsText} />
  ) : (
    <Empty title={words.none} text={words.noneText} />
  );
}
