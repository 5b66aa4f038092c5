/**
 * The password of a replication connection: made on the host whose server connects, kept there in a file that only this
 * server's account can read. What leaves the host is its SCRAM verifier.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type FileOwner, syncFolder, writeFileDurably } from "../../host/file-runner.ts";
import { namesIn } from "../../host/names-in.ts";
import type { Host } from "../../verb.ts";
import type { Means } from "./settings.ts";

const iterations = 4_096;

function pathOf({ settings }: Means, role: string): string {
  return join(settings.passfileFolder, `.${role}.pgpass`);
}

/** As the server opens it: a path of the host. */
export function passfileOf(means: Means, role: string): string {
  return pathOf(means, role);
}

/** Roles for which a file lies here. */
export async function passfilesOf(host: Host, means: Means): Promise<readonly string[]> {
  const names = await namesIn(host.path(means.settings.passfileFolder));
  return names.flatMap((name) => /^\.(.+)\.pgpass$/.exec(name)?.[1] ?? []);
}

export async function readPassword(host: Host, means: Means, role: string): Promise<string | undefined> {
  try {
    const [, password] =
      /:([0-9a-f]{64})\n$/.exec(await readFile(host.path(pathOf(means, role)), "utf8")) ?? [];
    return password;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** The one that is there, or a new one; the file is written in any case, so that it has this owner whatever stood there. */
export async function keepPassword(
  host: Host,
  means: Means,
  { role, owner }: { readonly role: string; readonly owner: FileOwner },
): Promise<string> {
  const password = (await readPassword(host, means, role)) ?? randomBytes(32).toString("hex");
  const path = host.path(pathOf(means, role));
  await writeFileDurably(path, `*:*:*:${role}:${password}\n`, 0o600, owner);
  return password;
}

export async function removePassword(host: Host, means: Means, role: string): Promise<void> {
  await rm(host.path(pathOf(means, role)), { force: true });
  await syncFolder(host.path(means.settings.passfileFolder));
}

/** As PostgreSQL 10 and newer store it: SCRAM-SHA-256$iterations:salt$stored:server (RFC 5803). */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const keyed = (words: string) => createHmac("sha256", salted).update(words).digest();
  const stored = createHash("sha256").update(keyed("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${stored}:${keyed("Server Key").toString("base64")}`;
}
