/** Images: which one a package brings, what version is in it, and the name under which an old one is kept. */
import { join } from "node:path";
import { z } from "zod";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";
import { type Docker, dockerFailure, type Inspected } from "./docker.ts";
import type { Program } from "./installation.ts";
import { type NoteKind, readNote, writeNote } from "./note.ts";
import { deployFolder, packageFolder } from "./packages.ts";
import { normal, readVersionOutput } from "./version-text.ts";

/** Where the vendor's images have the database's programs. */
export const inImage = { bin: "/kaiwudb/bin", binary: "/kaiwudb/bin/kwbase" } as const;

/** The database's version in an image never changes, and asking costs a container: told once for each. */
export type ImageVersions = Map<string, string>;

const versionMs = 30_000;

/**
 * `running`: a container of this image, in which it can be asked; otherwise a container without network is made for
 * this one question, and goes at once. Refused: `kwdb.image-mute`, `kwdb.docker-failed`.
 */
export async function programIn(
  docker: Docker,
  imageId: string,
  { versions, running }: { readonly versions: ImageVersions; readonly running?: Inspected | undefined },
): Promise<Outcome<Program>> {
  const sha256 = imageId.replace(/^sha256:/, "");
  const kept = versions.get(imageId);
  if (kept !== undefined) return succeed({ version: kept, sha256 });
  const words =
    running?.State.Running === true && running.Image === imageId
      ? ["exec", running.Id, inImage.binary, "version"]
      : ["run", "--rm", "--network=none", `--entrypoint=${inImage.binary}`, imageId, "version"];
  const told = await docker.look(words, versionMs);
  if (told.exitCode !== 0)
    return { ok: false, failure: dockerFailure(told, `docker ${words[0]} … kwbase version`) };
  const version = readVersionOutput(told.stdout);
  if (version === undefined) return fail("kwdb.image-mute", { image: imageId });
  versions.set(imageId, normal(version));
  return succeed({ version: normal(version), sha256 });
}

const manifestSchema = z
  .array(z.object({ Config: z.string(), RepoTags: z.array(z.string()).nullish() }))
  .length(1);

export interface PackedImage {
  readonly tar: string;
  /** The name that loading gives it; its id where it brings none. */
  readonly reference: string;
}

/** Refused: `kwdb.package-without-image`, `kwdb.image-tar-unreadable`. */
export async function imageOf(host: Host, digest: string): Promise<Outcome<PackedImage>> {
  const folder = await deployFolder(host, digest);
  if (folder === undefined) return fail("kwdb.package-without-image", { digest });
  const tar = join(folder, "packages", "KaiwuDB.tar");
  const listed = await host.look(["tar", "-xOf", tar, "manifest.json"], { deadlineMs: 5 * 60_000 });
  try {
    const [image] = manifestSchema.parse(JSON.parse(listed.stdout));
    const reference = image?.RepoTags?.[0] ?? `sha256:${(image?.Config ?? "").replace(/^.*\/|\.json$/g, "")}`;
    return succeed({ tar, reference });
  } catch {
    const cause =
      listed.spawnError ?? (listed.stderr.trim().split("\n").at(-1) || "its manifest is not of one image");
    return fail("kwdb.image-tar-unreadable", { cause });
  }
}

const loadedSchema = z.object({ reference: z.string(), id: z.string() });
export type LoadedImage = z.infer<typeof loadedSchema>;
export const loadedNote: NoteKind<LoadedImage> = { format: 1, schema: loadedSchema };

/** Beside the package: what loading it has made, so that every later step means the same image. */
export async function rememberLoaded(host: Host, digest: string, image: LoadedImage): Promise<void> {
  await writeNote(loadedNote, loadedFile(host, digest), image);
}

/** Refused: `kwdb.image-not-loaded`. */
export async function loadedImage(host: Host, digest: string): Promise<Outcome<LoadedImage>> {
  const image = await readNote(loadedNote, loadedFile(host, digest));
  return image === undefined ? fail("kwdb.image-not-loaded", { digest }) : succeed(image);
}

function loadedFile(host: Host, digest: string): string {
  return join(packageFolder(host, digest), "image.json");
}

/** A tag of our own on the image that goes, so that removing its other names removes only these. */
export function keptTag(label: string, rollout: string): string {
  return `lockkeeper-kept:${`${label}-${rollout}`.replace(/[^A-Za-z0-9_.-]/g, "_").slice(0, 120)}`;
}
