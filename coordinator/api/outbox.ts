/** Messages to one agent, in order, bounded: a peer that does not read is dropped, not buffered for ever. */

const maxQueued = 1_000;

export class Outbox<T> implements AsyncIterable<T> {
  readonly #queue: T[] = [];
  #closed = false;
  #wake: (() => void) | undefined;

  /** False when the stream is closed, or its reader is so far behind that it is closed now. */
  put(message: T): boolean {
    if (this.#closed) return false;
    if (this.#queue.length >= maxQueued) {
      this.close();
      return false;
    }
    this.#queue.push(message);
    this.#wake?.();
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    while (!this.#closed) {
      const next = this.#queue.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
