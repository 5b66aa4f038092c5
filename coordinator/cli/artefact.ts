/** Packages from this side: digest of a local file, and its way to the coordinator. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { troubleOf } from "#proto/catalogue/trouble.ts";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { Caller, PushArtefactRequest } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import type { Session } from "./command.ts";

const chunkBytes = 64 * 1024;

export interface LocalArtefact {
  readonly file: string;
  readonly digest: string;
  readonly totalBytes: number;
}

/** Undefined where there is no such file. A folder, or a file that cannot be read, is refused. */
export async function localArtefact(session: Session, file: string): Promise<LocalArtefact | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return undefined;
  if (!found.isFile()) throw unreadable(file, "it is no file");
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(file)) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (found.size > bigBytes) progress(session, `reading ${basename(file)}`, bytes, found.size);
    }
  } catch (error) {
    throw unreadable(file, troubleOf(error));
  } finally {
    session.terminal.progress(undefined);
  }
  return { file, digest: hash.digest("hex"), totalBytes: bytes };
}

export async function push(session: Session, { file, digest, totalBytes }: LocalArtefact): Promise<void> {
  const name = basename(file);
  session.terminal.note(`${name}: ${totalBytes} bytes, sha256:${digest}`);
  const { caller } = session.terminal;
  const sent = (bytes: number) => {
    if (totalBytes > bigBytes) progress(session, `sending ${name}`, bytes, totalBytes);
  };
  try {
    await session.stream((client) => client.pushArtefact(parts(file, { digest, totalBytes, caller, sent })));
  } finally {
    session.terminal.progress(undefined);
  }
}

/** A local file is pushed where the coordinator does not have it; else the name of a package that it has. */
export async function digestOfArtefact(
  session: Session,
  wanted: string,
  digest: string | undefined,
): Promise<string> {
  const local = await localArtefact(session, wanted);
  const { artefacts } = await session.call((client) => client.listArtefacts({}));
  if (local !== undefined) {
    if (digest !== undefined && digest !== local.digest)
      throw new FailureError(
        failure("artefact.digest-wrong", { name: wanted, got: local.digest, wanted: digest }),
      );
    if (!artefacts.some((each) => each.digest === local.digest)) await push(session, local);
    return local.digest;
  }
  const named = artefacts.filter(
    (each) => each.name === wanted && (digest === undefined || each.digest === digest),
  );
  const [only] = named;
  if (only !== undefined && named.length === 1) return only.digest;
  throw new FailureError(
    named.length === 0
      ? failure("cli.no-artefact", { name: wanted })
      : failure("cli.which-artefact", { name: wanted, digests: named.map((each) => each.digest).join(", ") }),
  );
}

/** Below this nobody has to wait. */
const bigBytes = 8 * 1024 ** 2;

function progress({ terminal }: Session, what: string, bytes: number, totalBytes: number): void {
  const percent = Math.floor((bytes / totalBytes) * 100);
  // elsewhere than on a terminal only the first word of it is shown
  terminal.progress(terminal.redraws ? `${what}: ${percent} %` : `${what}, ${totalBytes} bytes …`);
}

interface Sending {
  readonly digest: string;
  readonly totalBytes: number;
  readonly caller: Caller;
  sent(bytes: number): void;
}

async function* parts(file: string, { digest, totalBytes, caller, sent }: Sending) {
  const name = basename(file);
  const header: PushArtefactRequest = {
    part: { $case: "header", value: { caller, name, digest, totalBytes } },
  };
  yield header;
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: chunkBytes })) {
    const part: PushArtefactRequest = { part: { $case: "chunk", value: chunk as Buffer } };
    yield part;
    bytes += (chunk as Buffer).length;
    sent(bytes);
  }
}

function unreadable(path: string, cause: string): FailureError {
  return new FailureError(failure("cli.file-unreadable", { path, cause }));
}
