/** A Docker engine in memory, with the few commands that the verbs of containers call as tools. */
import { containerVerbs } from "#agent/engines/kwdb/container-verbs.ts";
import type { Inspected } from "#agent/engines/kwdb/docker.ts";
import { imageVerbs } from "#agent/engines/kwdb/image-verbs.ts";
import type { Means } from "#agent/engines/kwdb/installation.ts";
import { ProgramCache } from "#agent/engines/kwdb/program-cache.ts";
import { kwdbSettings } from "#agent/engines/kwdb/settings.ts";
import type { Host, Look, StepContext, StepResult, ToolRun } from "#agent/verb.ts";
import { fakeHost, lookOf } from "./fake-host.ts";

type Container = Inspected & { Name: string };
const ended = (tail: string, exitCode: number): ToolRun => ({
  ...{ exitCode, tail, result: "exited", runner: "unit" },
});
const conflict = (name: string) =>
  `Error response from daemon: Conflict. The container name "/${name}" is already in use`;
const noSuch = (what: string) => lookOf("", { exitCode: 1, stderr: `Error: No such ${what}` });

export class FakeEngine {
  readonly containers: Container[] = [];
  /** Tags of ours; every other image is there. */
  readonly images = new Set<string>();
  /** The engine removes no container. */
  stuck = false;
  readonly host: Host;
  readonly means: Means;
  /** What ran as tools, in order, each as one line. */
  readonly ran: string[] = [];
  /** Of one attempt, as an agent's journal keeps them: the n-th tool of a next life meets the n-th of before. */
  #journal: { readonly words: string; readonly run: ToolRun }[] = [];
  #ids = 0;

  constructor(settings: object, compose: (words: readonly string[]) => Look = () => lookOf("")) {
    this.host = fakeHost(([file, ...words]) =>
      file === "docker-compose" ? compose(words) : this.#look(words),
    );
    this.means = {
      settings: kwdbSettings.parse(settings),
      programs: new ProgramCache(),
      images: new Map(),
    };
  }

  add(name: string, image: string, more: Partial<Container["State"]> = {}): Container {
    this.#ids += 1;
    const made: Container = {
      Id: String(this.#ids).padStart(64, "c"),
      Name: `/${name}`,
      Image: `sha256:${image}`,
      State: { Status: "created", Running: false, Pid: 0, StartedAt: "", ...more },
      Config: { Image: image },
      HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } },
      Mounts: [],
    };
    this.containers.push(made);
    return made;
  }

  named(name: string): Container | undefined {
    return this.containers.find(({ Name, Id }) => Name === `/${name}` || Id === name);
  }

  run(verb: string, args: object = {}): Promise<StepResult> {
    this.#journal = [];
    return this.again(verb, args);
  }

  /** The last verb once more, as the agent's next life does. */
  async again(name: string, args: object = {}): Promise<StepResult> {
    const verb = this.#verb(name);
    let met = 0;
    const context = this.#context((argv) => {
      const known = this.#journal[met];
      met += 1;
      const words = argv.join(" ");
      if (known !== undefined && known.words !== words) throw new Error(`other words than before: ${words}`);
      if (known !== undefined) return known.run;
      const run = this.#tool(argv);
      this.#journal.push({ words, run });
      return run;
    });
    return verb.run(context, verb.args.parse(args));
  }

  async probe(name: string, args: object = {}): Promise<string | undefined> {
    const verb = this.#verb(name);
    const context = this.#context(() => ended("a probe starts nothing", 1));
    return (await verb.probe?.(context, verb.args.parse(args)))?.state;
  }

  #verb(name: string) {
    const found = [...containerVerbs(this.means), ...imageVerbs(this.means)].find(
      (verb) => verb.name === `kwdb.${name}`,
    );
    if (found === undefined) throw new Error(`no verb kwdb.${name}`);
    return found;
  }

  #context(tool: (argv: readonly string[]) => ToolRun): StepContext {
    const { host } = this;
    const about: Partial<StepContext> = { host, rollout: "r1", tool: async ({ argv }) => tool(argv) };
    return about as StepContext;
  }

  #look(words: readonly string[]): Look {
    const [what, order, name = ""] = words;
    if (what === "ps") return lookOf(this.containers.map(({ Id }) => `${Id}\n`).join(""));
    if (what === "info") return lookOf("json-file\n");
    if (what === "logs") return lookOf("started\nout of memory\n");
    if (order !== "inspect") return lookOf("", { exitCode: 1, stderr: "unknown command" });
    if (name.startsWith("lockkeeper-kept") && !this.images.has(name)) return noSuch("image");
    if (what === "image") return lookOf(JSON.stringify([{ Id: name.replace(/^(?!sha256:)/, "sha256:") }]));
    const found = this.named(name);
    return found === undefined ? noSuch("container") : lookOf(JSON.stringify([found]));
  }

  #tool([, order = "", ...words]: readonly string[]): ToolRun {
    this.ran.push([order, ...words].join(" "));
    const last = words.at(-1) ?? "";
    if (order === "rename") return this.#rename(words[0] ?? "", last);
    if (order === "create") {
      const name = words[1] ?? "";
      if (this.named(name) !== undefined)
        return ended(
          `${conflict(name)}
See 'docker create --help'.
`,
          1,
        );
      return ended(this.add(name, last).Id, 0);
    }
    if (order === "rmi") return ended("", this.images.delete(last) ? 0 : 1);
    const found = this.named(last);
    if (found === undefined) return ended(`No such container: ${last}`, 1);
    if (order === "rm") this.containers.splice(this.containers.indexOf(found), this.stuck ? 0 : 1);
    const policy = /^--restart=(\S+)$/.exec(words[0] ?? "")?.[1];
    if (policy !== undefined) found.HostConfig["RestartPolicy"] = { Name: policy, MaximumRetryCount: 0 };
    return ended("", 0);
  }

  #rename(from: string, to: string): ToolRun {
    const found = this.named(from);
    if (found === undefined) return ended(`No such container: ${from}`, 1);
    if (this.named(to) !== undefined)
      return ended(`${conflict(to)}\nError: failed to rename container named ${from}\n`, 1);
    found.Name = `/${to}`;
    return ended("", 0);
  }
}
