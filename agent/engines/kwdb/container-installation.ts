/**
 * KWDB in a container: as deploy.sh installs it (a unit around docker-compose, MODE says `container`), by a compose file
 * of the operator's own, or by `docker run`. The container tells what runs, not the unit: its processes live in the
 * engine's control group.
 */
import { createHash } from "node:crypto";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Container, Mode } from "#proto/engines/kwdb.ts";
import type { Host, ToolRequest } from "../../verb.ts";
import { type ComposeFile, readCompose } from "./compose-file.ts";
import { onHostPath, onHostPort, serverWords } from "./container-words.ts";
import { type Docker, dockerOn, type Inspected } from "./docker.ts";
import { dockerFacts } from "./docker-facts.ts";
import { hashesOf, readText } from "./files.ts";
import { inImage, programIn } from "./images.ts";
import type { Installation, Means, Order, ServiceState } from "./installation.ts";
import { readMode } from "./mode.ts";
import { paths, unitFile } from "./paths.ts";
import { repetitionOf, wordsDigest } from "./repetition.ts";
import { securityWords } from "./script-installation.ts";
import { readSetAside } from "./set-aside.ts";
import { readUnit } from "./unit.ts";
import { readVersionFile } from "./version-text.ts";

/** What the three forms differ in. */
export interface ContainerForm {
  readonly form: "compose-service" | "compose" | "docker-run";
  /** Name or id; undefined where compose has none now. Looked up once, so that all questions are of one container. */
  readonly name: Outcome<string | undefined>;
  readonly composeFile?: string;
  readonly unit?: string;
}

export interface ContainerInstallation extends Installation {
  readonly docker: Docker;
  readonly composeFile?: string;
  /** undefined: there is none, as after `docker-compose down`. */
  inspect(): Promise<Outcome<Inspected | undefined>>;
  readonly name: Outcome<string | undefined>;
}

export function containerInstallation(host: Host, means: Means, of: ContainerForm): ContainerInstallation {
  const docker = dockerOn(host, means.settings);
  const { form, composeFile, unit, name } = of;
  const inspect: ContainerInstallation["inspect"] = async () => {
    if (!name.ok) return name;
    return name.value === undefined ? succeed(undefined) : docker.container(name.value);
  };
  const mustInspect = async () => {
    const found = await inspect();
    if (!found.ok) return found;
    return found.value === undefined ? fail("kwdb.container-missing", { form }) : succeed(found.value);
  };
  // while the new one is not made yet, the one that is set aside tells where the data is
  const insteadOfIt = async () => {
    const found = await mustInspect();
    const aside =
      found.ok || !name.ok || name.value === undefined ? undefined : await readSetAside(host, name.value);
    if (aside === undefined) return found;
    const old = await docker.container(aside.aside);
    return old.ok && old.value !== undefined ? succeed(old.value) : found;
  };
  const mode = () => (form === "compose-service" ? readMode(host) : modeOf(host, insteadOfIt));
  const service = () => stateOf(host, unit, inspect);
  const program: Installation["program"] = async () => {
    const image = await imageToStart(host, { docker, composeFile, mustInspect });
    if (!image.ok) return image;
    const container = await inspect();
    const running = container.ok ? container.value : undefined;
    return programIn(docker, image.value, { versions: means.images, running });
  };
  const files = composeFile === undefined ? [] : [composeFile];
  const about: Pick<ContainerInstallation, "host" | "form" | "docker" | "name"> = {
    host,
    form,
    docker,
    name,
  };
  return {
    ...about,
    ...(composeFile === undefined ? {} : { composeFile }),
    ...(unit === undefined ? {} : { unit }),
    inspect,
    mode,
    service,
    program,
    async versionFile() {
      if (form === "compose-service") return readVersionFile(host);
      const found = await program();
      return found.ok ? succeed({ basic: found.value.version, extended: null }) : found;
    },
    async running(ownBuild) {
      const found = await inspect();
      if (!found.ok) return found;
      if (found.value?.State.Running !== true) return fail("kwdb.not-running", {});
      const { Image, State } = found.value;
      const build = await ownBuild();
      if (!build.ok) return build;
      const executableSha256 = Image.replace(/^sha256:/, "");
      return succeed({ pid: State.Pid, version: build.value, executableSha256, startedAt: State.StartedAt });
    },
    async hasClient() {
      const found = await inspect();
      return found.ok && found.value?.State.Running === true;
    },
    client: (mode, words, at) =>
      clientCommand(docker, mode, { name: name.ok ? (name.value ?? "") : "", words, at }),
    order: (order) =>
      unit === undefined ? docker.command(orderWords(order, name)) : { argv: ["systemctl", order, unit] },
    leftOvers: () => othersOnData(docker, mode),
    async configuration() {
      const own = unit === undefined ? [] : [paths.mode, paths.nodeFile, paths.environment];
      const sums = await hashesOf(host, [...own, ...files]);
      if (!sums.ok) return sums;
      const found = await inspect();
      if (!found.ok) return found;
      return succeed({
        ...sums.value,
        "docker inspect": found.value === undefined ? "absent" : digestOf(found.value),
      });
    },
    container: () => describe(host, { docker, composeFile, mustInspect }),
    engine: () => dockerFacts(about, means.settings.user),
    async alsoSaved() {
      const found = await inspect();
      if (!found.ok) return found;
      return succeed({ "docker-inspect.json": JSON.stringify(found.value ?? null, null, 2) });
    },
    worthSaving: [...(unit === undefined ? [] : [paths.etc, unitFile(unit)]), ...files],
  };
}

type MustInspect = () => Promise<Outcome<Inspected>>;

/** `supervisorPid` is docker-compose under the unit; a container that the engine restarts again and again is not down. */
async function stateOf(
  host: Host,
  unit: string | undefined,
  inspect: ContainerInstallation["inspect"],
): Promise<Outcome<ServiceState>> {
  const found = await inspect();
  if (!found.ok) return found;
  const container = found.value?.State;
  const mainPid = container?.Running === true ? container.Pid : 0;
  if (unit !== undefined) {
    const state = await readUnit(host, unit);
    if (!state.ok) return state;
    return succeed({ ...state.value, mainPid, supervisorPid: state.value.mainPid });
  }
  const isRestarting = container?.Restarting === true;
  return succeed({
    loaded: container !== undefined,
    active: container === undefined ? "inactive" : container.Running ? "active" : "inactive",
    sub: container?.Status ?? "no container",
    mainPid,
    supervisorPid: isRestarting ? 1 : 0,
    needsReload: false,
  });
}

/** As MODE would say it, by the container's own command, its mounts and its ports. */
async function modeOf(host: Host, mustInspect: MustInspect): Promise<Outcome<Mode>> {
  const found = await mustInspect();
  if (!found.ok) return found;
  const words = serverWords(found.value);
  if (!words.ok) return words;
  const dataRoot = onHostPath(found.value, words.value.store);
  if (!dataRoot.ok) return dataRoot;
  const sqlPort = onHostPort(found.value, words.value.sqlPort);
  if (!sqlPort.ok) return sqlPort;
  const httpPort = onHostPort(found.value, words.value.httpPort);
  if (!httpPort.ok) return httpPort;
  // the node's own word for where the others, and its own row, have it
  const told = await readText(host, `${dataRoot.value}/kwbase.advertise-addr`);
  if (!told.ok) return told;
  const advertised = told.value.trim();
  return succeed({
    kind: "container",
    topology: words.value.topology,
    place: found.value.Config.Image,
    dataRoot: dataRoot.value,
    sqlPort: sqlPort.value,
    httpPort: httpPort.value,
    user: "",
    security: words.value.security,
    encrypted: words.value.encrypted,
    address: advertised.replace(/:\d+$/, ""),
    advertised,
    within: { sqlPort: words.value.sqlPort, certs: words.value.certs ?? "" },
  });
}

/** Where the vendor's compose file has them within its container. */
const vendors = { sqlPort: 26_257, certs: "/kaiwudb/certs" } as const;

interface Asked {
  readonly name: string;
  readonly words: readonly string[];
  readonly at: string | undefined;
}

/** Without a tty: the vendor's own `exec -it` fails where there is none. */
function clientCommand(docker: Docker, mode: Mode, { name, words, at }: Asked): ToolRequest {
  const { sqlPort, certs } = mode.within ?? vendors;
  const own = ["exec", "--interactive", "--workdir", inImage.bin, name, "./kwbase"];
  const place = at ?? `127.0.0.1:${sqlPort}`;
  return docker.command([...own, ...words, ...securityWords(mode, certs), `--host=${place}`]);
}

/** Docker's own patience is 10 s, then it kills. */
const stopSeconds = 90;

function orderWords(order: Order, name: Outcome<string | undefined>): readonly string[] {
  const patience = order === "start" ? [] : [`--time=${stopSeconds}`];
  return [order, ...patience, name.ok ? (name.value ?? "") : ""];
}

interface Ways {
  readonly docker: Docker;
  readonly composeFile: string | undefined;
  readonly mustInspect: MustInspect;
}

/** Id of the image that the next start would take: the compose file's, or that of the container itself. */
async function imageToStart(
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

export async function composeOf(host: Host, file: string): Promise<Outcome<ComposeFile>> {
  const text = await readText(host, file);
  return text.ok ? readCompose(text.value) : text;
}

async function describe(host: Host, ways: Ways): Promise<Outcome<Container>> {
  const { docker, composeFile, mustInspect } = ways;
  const found = await mustInspect();
  if (!found.ok) return found;
  const { Id, Name, Image, Config } = found.value;
  const image = await docker.image(Image);
  if (!image.ok) return image;
  const about = {
    name: Name.replace(/^\//, ""),
    id: Id,
    image: Config.Image,
    imageId: Image,
    digests: [...(image.value?.RepoDigests ?? [])],
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
  const { options, command, refused } = words.value;
  return succeed({
    ...about,
    repeats: {
      options: [...options],
      command: [...command],
      refused: [...refused],
      sha256: wordsDigest(words.value),
    },
  });
}

/** Running containers beside this one that have its data folder too. */
async function othersOnData(docker: Docker, mode: Installation["mode"]): Promise<readonly string[]> {
  const [all, found] = await Promise.all([docker.all(), mode()]);
  // one that cannot be asked stops the step by its own reason, in `service` or `mode`
  if (!all.ok || !found.ok) return [];
  const holds = ({ Mounts }: Inspected) => Mounts.some(({ Source }) => Source === found.value.dataRoot);
  return all.value
    .filter((each) => each.State.Running && holds(each))
    .map(({ Name }) => Name.replace(/^\//, ""));
}

/** What of a container was given to it; not when it was started, nor as what. */
function digestOf({ Image, Config, HostConfig, Mounts, NetworkSettings }: Inspected): string {
  const given = {
    Image,
    Config: { ...Config, Hostname: undefined },
    HostConfig,
    mounts: Mounts.map(({ Type, Source, Destination }) => [Type, Source, Destination].join(" ")).sort(),
    networks: Object.keys(NetworkSettings?.Networks ?? {}).sort(),
  };
  return createHash("sha256").update(JSON.stringify(given)).digest("hex");
}
