/**
 * A key of the store as NATS keeps it: changed by compare-and-swap on a revision, and able to forget its
 * newest writes, after which revisions repeat.
 */
export interface Versioned<T> {
  readonly value: T;
  readonly revision: number;
}

export class SimRegister<T> {
  readonly #history: Versioned<T>[] = [];

  read(): Versioned<T> | undefined {
    return this.#history.at(-1);
  }

  swap(
    value: T,
    expected: number,
  ): { readonly result: "written"; readonly revision: number } | { readonly result: "lost" } {
    const revision = this.read()?.revision ?? 0;
    if (revision !== expected) return { result: "lost" };
    this.#history.push({ value, revision: revision + 1 });
    return { result: "written", revision: revision + 1 };
  }

  /** Returns what was undone, oldest first. */
  forget(writes: number): readonly T[] {
    return this.#history.splice(Math.max(0, this.#history.length - writes)).map(({ value }) => value);
  }
}
