/** A Docker engine that keeps its containers and images in memory, and answers as the client's JSON does. */
import type { Look, ToolRun } from "#agent/verb.ts";
import { lookOf } from "./fake-host.ts";

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

const refused = (why: string) => `Error response from daemon: ${why}`;

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
  /** The engine does not do this. */
  stuck: "rm" | "update" | undefined;
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
    const cause = this.#changed(words);
    return {
      exitCode: cause === undefined ? 0 : 1,
      result: "exited",
      tail: cause === undefined ? "" : `${cause}\nSee 'docker ${words[0]} --help'.\n`,
      runner: "fake",
    };
  }

  /** What the engine says where it has not. */
  #changed(words: readonly string[]): string | undefined {
    const [order = "", first = "", second = ""] = words;
    switch (order) {
      case "update": {
        const [, found] = this.#named(second) ?? [];
        if (this.stuck === "update" || found === undefined) return refused(`No such container: ${second}`);
        found.restart = first.replace("--restart=", "");
        return undefined;
      }
      case "rename":
        return this.rename(first, second);
      case "create":
        return this.#create(words);
      case "rm": {
        const [name] = this.#named(first) ?? [];
        if (this.stuck === "rm" || name === undefined) return refused(`No such container: ${first}`);
        this.containers.delete(name);
        return undefined;
      }
      case "tag":
        this.images.set(second, this.images.get(first) ?? first);
        return undefined;
      case "rmi":
        return this.images.delete(first) ? undefined : refused(`No such image: ${first}`);
      default:
        return refused(`not known: ${words.join(" ")}`);
    }
  }

  /** By name or id, as docker does. */
  rename(from: string, to: string): string | undefined {
    const [name, found] = this.#named(from) ?? [];
    if (name === undefined || found === undefined) return refused(`No such container: ${from}`);
    if (this.containers.has(to)) return refused(`Conflict. The container name "/${to}" is already in use`);
    this.containers.delete(name);
    this.containers.set(to, found);
    return undefined;
  }

  #named(wanted: string): readonly [string, FakeContainer] | undefined {
    return [...this.containers].find(([name, { id }]) => name === wanted || id === wanted);
  }

  /** As the engine would from the words: what the old one was given, of the image that is named. */
  #create(words: readonly string[]): string | undefined {
    const name = words[words.indexOf("--name") + 1] ?? "";
    if (this.containers.has(name))
      return refused(`Conflict. The container name "/${name}" is already in use`);
    const imageName = words.find((word) => this.images.has(word) || word.startsWith("sha256:")) ?? "";
    const [old] = [...this.containers.values()];
    const env = (old?.env ?? []).filter((each) => each !== this.loses);
    this.container(name, {
      ...(old === undefined ? {} : { binds: old.binds, mounts: old.mounts }),
      ...{ env, restart: "unless-stopped", status: "created", imageName },
      image: this.images.get(imageName) ?? imageName,
    });
    return undefined;
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
    const entry = this.#named(name);
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
