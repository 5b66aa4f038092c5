/**
 * Parcels: files that one node of a rollout makes for another. Bytes by digest, names beside them, a folder for each
 * open rollout; what belongs to no open rollout is refused and swept away.
 */
import { readdir, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#proto/common/clock.ts";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { makeFolders } from "#proto/common/make-folders.ts";
import { ArtefactFolder } from "./artefacts.ts";

/** Left free for the coordinator's own records beyond the parcel itself. */
const reserveBytes = 1024 ** 3;

export interface ParcelHeader {
  readonly rollout: string;
  readonly name: string;
  readonly digest: string;
  readonly totalBytes: number;
}

export interface ParcelFolderOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly bytesPerSecond: number;
  /** Is this rollout open, and driven here? */
  isOpen(rollout: string): boolean;
  /** Bytes that are left on the file system of the folder; asked of the system where it is not given. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

export class ParcelFolder {
  readonly #options: ParcelFolderOptions;

  constructor(options: ParcelFolderOptions) {
    this.#options = options;
  }

  /** Refused: `parcel.rollout-not-open`, `parcel.name-malformed`, `parcel.no-room`, and as an artefact is. */
  async send(header: ParcelHeader, chunks: AsyncIterable<Uint8Array>): Promise<Outcome<string>> {
    const { rollout, name, digest, totalBytes } = header;
    if (!this.#options.isOpen(rollout)) return fail("parcel.rollout-not-open", { rollout });
    if (!/^[A-Za-z0-9._/-]{1,300}$/.test(name)) return fail("parcel.name-malformed", { name });
    await this.#sweep();
    await makeFolders(this.#names(rollout), 0o700);
    const free = await (this.#options.freeBytes ?? freeOn)(this.#of(rollout));
    if (free < totalBytes + reserveBytes)
      return fail("parcel.no-room", { name, bytes: String(totalBytes), free: String(free) });
    const kept = await this.#bytes(rollout).push({ name, digest, totalBytes }, chunks);
    if (!kept.ok) return kept;
    await writeFile(this.#nameFile(rollout, name), digest, { mode: 0o600 });
    return succeed(digest);
  }

  /** undefined: nothing was sent under this name. */
  async find(rollout: string, name: string): Promise<{ digest: string; totalBytes: number } | undefined> {
    const digest = await readFile(this.#nameFile(rollout, name), "utf8").catch(() => undefined);
    const facts = digest === undefined ? undefined : await this.#bytes(rollout).facts(digest);
    return facts === undefined ? undefined : { digest: facts.digest, totalBytes: facts.totalBytes };
  }

  fetch(rollout: string, digest: string, offset: number) {
    return this.#bytes(rollout).fetch(digest, offset);
  }

  /** Of a rollout that is over: what it carried may be secret, and is nobody's any more. */
  async discard(rollout: string): Promise<void> {
    await rm(this.#of(rollout), { recursive: true, force: true });
  }

  async #sweep(): Promise<void> {
    const folders = await readdir(this.#options.folder).catch(() => []);
    const over = folders.filter((name) => !this.#options.isOpen(Buffer.from(name, "base64url").toString()));
    for (const name of over) await rm(join(this.#options.folder, name), { recursive: true, force: true });
  }

  #of(rollout: string): string {
    return join(this.#options.folder, Buffer.from(rollout).toString("base64url"));
  }

  #names(rollout: string): string {
    return join(this.#of(rollout), "names");
  }

  #nameFile(rollout: string, name: string): string {
    return join(this.#names(rollout), encodeURIComponent(name));
  }

  #bytes(rollout: string): ArtefactFolder {
    const { clock, bytesPerSecond } = this.#options;
    return new ArtefactFolder({ folder: this.#of(rollout), clock, bytesPerSecond });
  }
}

async function freeOn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
