/**
 * What was begun, ended in reverse: each part within its own limit, and one that fails or hangs does not keep the
 * next from being ended.
 */
import type { Clock } from "#proto/common/clock.ts";

export interface Part {
  readonly name: string;
  readonly limitMs: number;
  end(): Promise<void> | void;
}

export interface TeardownMeans {
  readonly clock: Clock;
  warn(text: string, facts: Readonly<Record<string, unknown>>): void;
}

export class Teardown implements AsyncDisposable {
  readonly #means: TeardownMeans;
  readonly #parts: Part[] = [];

  constructor(means: TeardownMeans) {
    this.#means = means;
  }

  add(part: Part): void {
    this.#parts.push(part);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) await this.#end(part);
  }

  async #end({ name, limitMs, end }: Part): Promise<void> {
    const { clock, warn } = this.#means;
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(limitMs, () => {
        warn("did not end in time", { part: name, limitMs });
        resolve();
      });
    });
    const ended = (async () => end())().catch((error: unknown) => {
      warn("did not end well", { part: name, cause: String(error) });
    });
    await Promise.race([ended, late]);
    cancel();
  }
}
