/** A Docker engine that keeps its containers and images in memory, and answers as the client's JSON does. */
import { kwdbKind } from "#agent/engines/kwdb/index.ts";
import type { Host, Look, Probe, StepContext, StepResult, ToolRun } from "#agent/verb.ts";
import { fakeHost, lookOf } from "./fake-host.ts";

export interface FakeContainer {
  readonly id: string;
  image: string;
  imageName: string;
  status: "created" | "running" | "exited";
  restart: string;
  env: readonly string[];
  binds: readonly string[];
  mounts: readonly object[];
}

const command = ["./kwbase", "start-single-node", "--insecure", "--store=/data/kwdb"];

export const idOf = (digit: string) => `sha256:${digit.repeat(64)}`;

export class FakeDocker {
  readonly containers = new Map<string, FakeContainer>();
  /** Id by name. */
  readonly images = new Map<string, string>();
  /** What `kwbase version` says in each, by id. */
  readonly versions = new Map<string, string>();
  /** Words of every command that changes something. */
  readonly asked: string[] = [];
  /** The next container is made without this word of its environment. */
  loses: string | undefined;
  /** Name of the compose file's container. */
  composed: string | undefined;
  #made = 0;

  container(name: string, of: Partial<FakeContainer> = {}): FakeContainer {
    this.#made += 1;
    const made: FakeContainer = {
      id: String(this.#made).padStart(64, "c"),
      ...{ image: idOf("1"), imageName: "kwdb/kwdb:3.0.0", status: "exited", restart: "unless-stopped" },
      ...{ env: ["SITE=north"], binds: ["/srv/kwdb:/data/kwdb"] },
      mounts: [{ Type: "bind", Source: "/srv/kwdb", Destination: "/data/kwdb", RW: true }],
      ...of,
    };
    this.containers.set(name, made);
    return made;
  }

  image(name: string, id: string, version: string): void {
    this.images.set(name, id);
    this.versions.set(id, version);
  }

  look(argv: readonly string[]): Look {
    const [tool, ...words] = argv;
    if (tool === "docker-compose") return lookOf(this.#composedId());
    const [order, second = "", name = ""] = words;
    if (order === "container" && second === "inspect") return this.#shown("container", this.#inspected(name));
    if (order === "image" && second === "inspect") return this.#shown("image", this.#inspectedImage(name));
    if (order === "info") return lookOf("json-file\n");
    if (order === "ps") return lookOf([...this.containers.values()].map(({ id }) => `${id}\n`).join(""));
    if (order === "run" || order === "exec") {
      const id = words.find((word) => word.startsWith("sha256:")) ?? "";
      return lookOf(`KaiwuDB Version:  ${this.versions.get(id) ?? "?"}\n`);
    }
    return lookOf("", { exitCode: 1, stderr: `not known: ${argv.join(" ")}` });
  }

  change(argv: readonly string[]): ToolRun {
    this.asked.push(argv.join(" "));
    const words = argv.slice(1);
    const [order, first = "", second = ""] = words;
    const found = this.containers.get(first);
    if (order === "update" && found === undefined) {
      const updated = this.containers.get(second);
      if (updated !== undefined) updated.restart = first.replace("--restart=", "");
    }
    if (order === "rename" && found !== undefined && !this.containers.has(second)) {
      this.containers.delete(first);
      this.containers.set(second, found);
    }
    if (order === "create") this.#create(words);
    if (order === "rm")
      for (const [name, { id }] of this.containers)
        if (name === first || id === first) this.containers.delete(name);
    if (order === "tag") this.images.set(second, this.images.get(first) ?? first);
    if (order === "rmi") this.images.delete(first);
    return { exitCode: 0, result: "exited", tail: "", runner: "fake" };
  }

  /** As the engine would from the words: what the old one was given, of the image that is named. */
  #create(words: readonly string[]): void {
    const name = words[words.indexOf("--name") + 1] ?? "";
    const imageName = words.find((word) => this.images.has(word) || word.startsWith("sha256:")) ?? "";
    const [old] = [...this.containers.values()];
    const env = (old?.env ?? []).filter((each) => each !== this.loses);
    this.container(name, {
      ...(old === undefined ? {} : { binds: old.binds, mounts: old.mounts }),
      ...{ env, restart: "unless-stopped", status: "created", imageName },
      image: this.images.get(imageName) ?? imageName,
    });
  }

  #composedId(): string {
    const found = this.composed === undefined ? undefined : this.containers.get(this.composed);
    return found === undefined ? "" : `${found.id}\n`;
  }

  #shown(what: string, found: object | undefined): Look {
    return found === undefined
      ? lookOf("", { exitCode: 1, stderr: `Error: No such ${what}` })
      : lookOf(JSON.stringify([found]));
  }

  #inspected(name: string): object | undefined {
    const entry = [...this.containers].find(([own, { id }]) => own === name || id === name);
    if (entry === undefined) return undefined;
    const [own, { id, image, imageName, status, restart, env, binds, mounts }] = entry;
    return {
      ...{ Id: id, Name: `/${own}`, Image: image, Mounts: mounts },
      State: {
        Status: status,
        Running: status === "running",
        Pid: status === "running" ? 7 : 0,
        StartedAt: "",
      },
      Config: { Image: imageName, Cmd: command, Env: env, Hostname: id.slice(0, 12) },
      HostConfig: {
        ...{ NetworkMode: "bridge", Binds: binds },
        RestartPolicy: { Name: restart, MaximumRetryCount: 0 },
      },
    };
  }

  #inspectedImage(name: string): object | undefined {
    const id = name.startsWith("sha256:") ? name : this.images.get(name);
    return id === undefined || !this.versions.has(id) ? undefined : { Id: id, Config: { Cmd: ["bash"] } };
  }
}

/** Verbs of an agent whose file has these settings, over such an engine. */
export class ContainerAgent {
  readonly docker = new FakeDocker();
  readonly host: Host & { readonly root: string };
  rollout = "r1";
  readonly #engine: ReturnType<typeof kwdbKind.create>;

  constructor(settings: object) {
    this.host = fakeHost((argv) => this.docker.look(argv));
    this.#engine = kwdbKind.create(kwdbKind.settings.parse(settings));
  }

  #verb(name: string) {
    const found = this.#engine.verbs.find((each) => each.name === `kwdb.${name}`);
    if (found === undefined) throw new Error(`no verb ${name}`);
    return found;
  }

  #context(): StepContext {
    const { host, rollout } = this;
    const context: Partial<StepContext> = {
      ...{ host, rollout, stage: "node", attempt: 1, begunBefore: "nothing", deadlineMs: 1_000, earlier: {} },
      signal: AbortSignal.timeout(10_000),
      progress: () => undefined,
      tool: ({ argv }) => Promise.resolve(this.docker.change(argv)),
    };
    return context as StepContext;
  }

  run(name: string, args: object = {}): Promise<StepResult> {
    const verb = this.#verb(name);
    return verb.run(this.#context(), verb.args.parse(args));
  }

  async facts(): Promise<Readonly<Record<string, unknown>>> {
    const facts = await this.#engine.facts(this.host, "full", AbortSignal.timeout(10_000));
    return facts as Readonly<Record<string, unknown>>;
  }

  /** `done`, or the code that says why not. */
  async outcome(name: string, args: object = {}): Promise<string> {
    const result = await this.run(name, args);
    return result.result === "done" ? "done" : result.failure.code;
  }

  async probe(name: string, args: object = {}): Promise<Probe["state"]> {
    const verb = this.#verb(name);
    if (verb.probe === undefined) throw new Error(`${name} has no probe`);
    return (await verb.probe(this.#context(), verb.args.parse(args))).state;
  }
}
