/** The Docker engine of a database in a container: what checks ask of it. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { DockerEngine } from "#proto/engines/kwdb.ts";
import type { ContainerInstallation } from "./container-installation.ts";
import { dockerFailure } from "./docker.ts";
import { freeBytes } from "./space.ts";

const lookMs = 10_000;

/** Refused: `kwdb.docker-failed`, `kwdb.docker-not-permitted`. */
export async function dockerFacts(
  here: Pick<ContainerInstallation, "docker" | "host" | "name" | "form">,
  user?: string,
): Promise<Outcome<DockerEngine>> {
  const { docker, host } = here;
  const as = user === undefined ? {} : { user };
  const [info, listed, compose, images] = await Promise.all([
    docker.look(["info", "--format", "{{.ServerVersion}}\n{{.DockerRootDir}}"]),
    docker.look(["ps", "--all", "--format", "{{.Names}}"]),
    host.look(["docker-compose", "version", "--short"], { deadlineMs: lookMs, ...as }),
    docker.look(["images", "--no-trunc", "--digests", "--format", imageRow]),
  ]);
  const bad = [info, listed, images].find(({ exitCode }) => exitCode !== 0);
  if (bad !== undefined) return { ok: false, failure: dockerFailure(bad, "docker info") };
  const [version = "", root = ""] = info.stdout.split("\n");
  if (root === "") return fail("kwdb.docker-failed", { what: "docker info", cause: "it tells no folder" });
  const free = await freeBytes(host, root);
  if (!free.ok) return free;
  const own = here.name.ok ? here.name.value : undefined;
  return succeed({
    version,
    compose: compose.exitCode === 0 ? compose.stdout.trim() : null,
    root,
    availableBytes: free.value,
    images: readImages(images.stdout),
    alike: here.form === "compose-service" && own !== undefined ? alike(listed.stdout, own) : [],
  });
}

const imageRow = "{{.ID}}\t{{.Repository}}\t{{.Tag}}\t{{.Digest}}";

/** One row a name: those of one id together. */
function readImages(rows: string): NonNullable<DockerEngine["images"]> {
  const found = new Map<string, Set<string>>();
  for (const row of rows.split("\n")) {
    const [id = "", repository = "", tag = "", digest = ""] = row.split("\t");
    if (!id.startsWith("sha256:")) continue;
    const names = found.get(id) ?? new Set();
    if (isSaid(repository) && isSaid(tag)) names.add(`${repository}:${tag}`);
    if (isSaid(repository) && isSaid(digest)) names.add(`${repository}@${digest}`);
    found.set(id, names);
  }
  return [...found].map(([id, names]) => ({ id, names: [...names].sort() }));
}

function isSaid(word: string): boolean {
  return word !== "" && word !== "<none>";
}

/** deploy.sh asks `docker ps --filter name=…`, which takes a part of a name for it. */
function alike(names: string, own: string): string[] {
  return names.split("\n").filter((name) => name !== own && name.includes(own));
}
