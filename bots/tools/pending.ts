/** Writes that are under way beside something else. A failure is kept until somebody asks: it must not end the process in between. */
export class Pending {
  #work: Promise<{ error: unknown } | null>[] = [];

  add(work: Promise<unknown>): void {
    this.#work.push(
      work.then(
        () => null,
        (error: unknown) => ({ error }),
      ),
    );
  }

  /** Resolves when all that was added has ended. Throws the first failure. */
  async settle(): Promise<void> {
    const ends = await Promise.all(this.#work.splice(0));
    for (const end of ends) if (end) throw end.error;
  }
}
