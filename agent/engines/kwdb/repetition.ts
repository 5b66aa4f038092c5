/** The words that would make a container again, asked of the engine: its own inspect, its image's and its defaults. */
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { type Repeated, repeat } from "./container-repeat.ts";
import { type Docker, dockerFailure, type Inspected } from "./docker.ts";

/** Refused: `kwdb.docker-failed`, `kwdb.image-missing`. */
export async function repetitionOf(docker: Docker, container: Inspected): Promise<Outcome<Repeated>> {
  const [image, info, all] = await Promise.all([
    docker.image(container.Image),
    docker.look(["info", "--format", "{{.LoggingDriver}}"]),
    docker.all(),
  ]);
  if (!image.ok) return image;
  if (!all.ok) return all;
  if (info.exitCode !== 0) return { ok: false, failure: dockerFailure(info, "docker info") };
  if (image.value === undefined) return fail("kwdb.image-missing", { image: container.Image });
  const found = repeat(container, image.value, { hostName: hostname(), logDriver: info.stdout.trim() });
  const linked = linkedFrom(container, all.value);
  const refused = linked.length === 0 ? [] : [`linked from=${linked.join(", ")}`];
  return succeed({ ...found, refused: [...found.refused, ...refused] });
}

/** A link of another container goes with this one's id: it would lead to the one that is set aside. */
function linkedFrom({ Name, Id }: Inspected, all: readonly Inspected[]): readonly string[] {
  return all
    .filter((each) => each.Id !== Id)
    .filter(({ HostConfig }) => {
      const links = (HostConfig["Links"] ?? []) as readonly string[];
      const shares = [HostConfig["NetworkMode"], HostConfig["PidMode"], HostConfig["IpcMode"]];
      const volumesFrom = (HostConfig["VolumesFrom"] ?? []) as readonly string[];
      return (
        links.some((link) => link.startsWith(`${Name}:`)) ||
        shares.some((share) => share === `container:${Id}`) ||
        volumesFrom.some((from) => `/${from.split(":")[0]}` === Name)
      );
    })
    .map((each) => each.Name.replace(/^\//, ""));
}

/** By which a plan holds the agent to the words that it has shown. */
export function wordsDigest({ options, command }: Pick<Repeated, "options" | "command">): string {
  return createHash("sha256")
    .update(JSON.stringify([options, command]))
    .digest("hex");
}
