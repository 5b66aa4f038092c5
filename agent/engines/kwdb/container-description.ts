/** A container as facts tell it: the image of its next start, the words that make it again, who else has its data. */
import { createHash } from "node:crypto";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Container, Mode } from "#proto/engines/kwdb.ts";
import type { Host } from "../../verb.ts";
import { type ComposeFile, readCompose } from "./compose-file.ts";
import type { MustInspect } from "./container-mode.ts";
import { onHostPath, serverWords, volumeOf } from "./container-words.ts";
import type { Docker, Inspected } from "./docker.ts";
import { readText } from "./files.ts";
import { repetitionOf, wordsDigest } from "./repetition.ts";

export interface Ways {
  readonly docker: Docker;
  readonly composeFile: string | undefined;
  readonly mustInspect: MustInspect;
}

/** Id of the image that the next start would take: the compose file's, or that of the container itself. */
export async function imageToStart(
  host: Host,
  { docker, composeFile, mustInspect }: Ways,
): Promise<Outcome<string>> {
  if (composeFile === undefined) {
    const found = await mustInspect();
    return found.ok ? succeed(found.value.Image) : found;
  }
  const compose = await composeOf(host, composeFile);
  if (!compose.ok) return compose;
  const [reference, ...others] = compose.value.images;
  if (reference === undefined || others.length > 0)
    return fail("kwdb.compose-images", { found: compose.value.images.join(", ") || "none" });
  const image = await docker.image(reference);
  if (!image.ok) return image;
  return image.value === undefined
    ? fail("kwdb.image-missing", { image: reference })
    : succeed(image.value.Id);
}

async function composeOf(host: Host, file: string): Promise<Outcome<ComposeFile>> {
  const text = await readText(host, file);
  return text.ok ? readCompose(text.value) : text;
}

export async function describe(host: Host, ways: Ways): Promise<Outcome<Container>> {
  const { docker, composeFile, mustInspect } = ways;
  const found = await mustInspect();
  if (!found.ok) return found;
  const { Id, Name, Image, Config } = found.value;
  const image = await docker.image(Image);
  if (!image.ok) return image;
  const server = serverWords(found.value);
  const volume = server.ok ? volumeOf(found.value, server.value.store) : undefined;
  const about = {
    name: Name.replace(/^\//, ""),
    id: Id,
    image: Config.Image,
    imageId: Image,
    digests: [...(image.value?.RepoDigests ?? [])],
    ...(volume === undefined ? {} : { dataVolume: volume }),
  };
  if (composeFile !== undefined) {
    const compose = await composeOf(host, composeFile);
    if (!compose.ok) return compose;
    const { services, images } = compose.value;
    return succeed({
      ...about,
      compose: { file: composeFile, services: [...services], images: [...images] },
    });
  }
  const words = await repetitionOf(docker, found.value);
  if (!words.ok) return words;
  const { options, command } = words.value;
  const refused = [...words.value.refused, ...certificatesInside(found.value)];
  return succeed({
    ...about,
    repeats: {
      options: [...options],
      command: [...command],
      refused,
      sha256: wordsDigest(words.value),
    },
  });
}

/** They would be missed by the next container, and go with the old one. */
function certificatesInside(container: Inspected): readonly string[] {
  const words = serverWords(container);
  const certs = words.ok ? words.value.certs : undefined;
  return certs === undefined || onHostPath(container, certs).ok
    ? []
    : [`certificates=${certs}, which is not mounted`];
}

/** Running containers beside this one that have its data folder too. */
export async function othersOnData(
  docker: Docker,
  mode: () => Promise<Outcome<Mode>>,
): Promise<readonly string[]> {
  const [all, found] = await Promise.all([docker.all(), mode()]);
  // one that cannot be asked stops the step by its own reason, in `service` or `mode`
  if (!all.ok || !found.ok) return [];
  const holds = ({ Mounts }: Inspected) => Mounts.some(({ Source }) => Source === found.value.dataRoot);
  return all.value
    .filter((each) => each.State.Running && holds(each))
    .map(({ Name }) => Name.replace(/^\//, ""));
}

/** What of a container was given to it; not when it was started, nor as what. */
export function digestOf({ Image, Config, HostConfig, Mounts, NetworkSettings }: Inspected): string {
  const given = {
    Image,
    Config: { ...Config, Hostname: undefined },
    HostConfig,
    mounts: Mounts.map(({ Type, Source, Destination }) => [Type, Source, Destination].join(" ")).sort(),
    networks: Object.keys(NetworkSettings?.Networks ?? {}).sort(),
  };
  return createHash("sha256").update(JSON.stringify(given)).digest("hex");
}
