/**
 * A disk in memory that loses what was not synced. After `blowAfter` operations it does nothing any more, as at a
 * power loss; `crash` then leaves the durable part and any piece of the rest, whole, cut short or damaged.
 */
import type { Disk, DiskFile } from "#agent/program/disk.ts";

interface Content {
  durable: Buffer;
  /** As the running program sees it. */
  seen: Buffer;
  /** A replacement that was begun and not finished. */
  replacing: Buffer | undefined;
}

export class ForgetfulDisk implements Disk {
  readonly #files = new Map<string, Content>();
  #left = Number.POSITIVE_INFINITY;
  /** Who opened a file before a crash is dead, and does nothing to it any more. */
  #lives = 0;

  blowAfter(operations: number): void {
    this.#left = operations;
  }

  get blown(): boolean {
    return this.#left <= 0;
  }

  /** `random` in [0, 1); decides what of the unsynced is left. */
  crash(random: () => number): void {
    this.#left = Number.POSITIVE_INFINITY;
    this.#lives += 1;
    for (const file of this.#files.values()) {
      if (file.replacing !== undefined && random() < 0.5) file.durable = file.replacing;
      else file.durable = survivor(file, random);
      file.seen = file.durable;
      file.replacing = undefined;
    }
  }

  content(path: string): Buffer {
    return this.#files.get(path)?.durable ?? Buffer.alloc(0);
  }

  overwrite(path: string, content: Buffer): void {
    this.#files.set(path, { durable: content, seen: content, replacing: undefined });
  }

  read(path: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#files.get(path)?.seen);
  }

  async open(path: string): Promise<DiskFile> {
    const file = this.#files.get(path) ?? {
      durable: Buffer.alloc(0),
      seen: Buffer.alloc(0),
      replacing: undefined,
    };
    this.#files.set(path, file);
    const life = this.#lives;
    return {
      append: async (bytes) => {
        await this.#operation(life);
        file.seen = Buffer.concat([file.seen, bytes]);
      },
      sync: async () => {
        await this.#operation(life);
        file.durable = file.seen;
      },
      truncate: async (bytes) => {
        await this.#operation(life);
        file.seen = file.seen.subarray(0, bytes);
      },
      close: () => Promise.resolve(),
    };
  }

  async replace(path: string, content: Uint8Array): Promise<void> {
    const life = this.#lives;
    const file = this.#files.get(path);
    if (file !== undefined) file.replacing = Buffer.from(content);
    await this.#operation(life);
    // A new file, as rename makes one: handles to the old one do not reach it.
    this.#files.set(path, {
      durable: Buffer.from(content),
      seen: Buffer.from(content),
      replacing: undefined,
    });
  }

  async #operation(life: number): Promise<void> {
    if (life === this.#lives) this.#left -= 1;
    if (this.#left <= 0 || life !== this.#lives) await new Promise(() => undefined);
  }
}

function survivor({ durable, seen }: Content, random: () => number): Buffer {
  if (seen.length <= durable.length) return random() < 0.5 ? seen : durable;
  const rest = Buffer.from(seen.subarray(durable.length));
  const kept = rest.subarray(0, Math.floor(random() * (rest.length + 1)));
  // Pages reach the disk in any order: the middle of what is there may be missing.
  if (kept.length > 2 && random() < 0.3) kept[Math.floor(random() * (kept.length - 1))] = 0;
  return Buffer.concat([durable, kept]);
}
