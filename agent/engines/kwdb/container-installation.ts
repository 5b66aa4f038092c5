/**
 * KWDB in a container: as deploy.sh installs it (a unit around docker-compose, MODE says `container`), by a compose file
 * of the operator's own, or by `docker run`. The container tells what runs, not the unit: its processes live in the
 * engine's control group.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Mode } from "#proto/engines/kwdb.ts";
import type { Host, ToolRequest } from "../../verb.ts";
import { describe, digestOf, imageToStart, othersOnData } from "./container-description.ts";
import { endOf } from "./container-end.ts";
import { certificatesOf, modeOf, placeOf, stateOf } from "./container-mode.ts";
import { type Docker, dockerOn, type Inspected } from "./docker.ts";
import { dockerFacts } from "./docker-facts.ts";
import { hashesOf } from "./files.ts";
import { inImage, programIn } from "./images.ts";
import { type Installation, type Means, type Order, placeInMode } from "./installation.ts";
import { readMode } from "./mode.ts";
import { paths, unitFile } from "./paths.ts";
import { readReplaced } from "./replaced.ts";
import { securityWords } from "./script-installation.ts";
import { newestSetAside } from "./set-aside.ts";
import { storesOfContainer } from "./stores.ts";
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
  const composed = async () => {
    const found = await mustInspect();
    const replaced = found.ok || form !== "compose" ? undefined : await readReplaced(host);
    const isMissing = !found.ok && found.failure.code === "kwdb.container-missing";
    return isMissing && replaced !== undefined ? succeed(replaced) : found;
  };
  // while the new one is not made yet, the one that is set aside tells where the data is
  const insteadOfIt = async () => {
    const found = await mustInspect();
    const aside =
      found.ok || !name.ok || name.value === undefined ? undefined : await newestSetAside(host, name.value);
    if (aside === undefined) return composed();
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
    stores: async () => {
      const found = await inspect();
      return found.ok ? storesOfContainer(found.value) : found;
    },
    data: () => (form === "compose-service" ? placeInMode(mode) : placeOf(insteadOfIt)),
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
    end: () => endOf({ docker, inspect }),
    engine: () => dockerFacts(about, means.settings.user),
    async alsoSaved() {
      const found = await inspect();
      if (!found.ok) return found;
      return succeed({ "docker-inspect.json": JSON.stringify(found.value ?? null, null, 2) });
    },
    // deploy.sh writes the flag into the command line of its compose file
    flagFiles: [...(unit === undefined ? [] : [paths.environment]), ...files],
    // the script's own are in the folder that is saved whole
    ...(form === "compose-service" ? {} : { certificates: () => certificatesOf(insteadOfIt) }),
    worthSaving: [...(unit === undefined ? [] : [paths.etc, unitFile(unit)]), ...files],
  };
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
