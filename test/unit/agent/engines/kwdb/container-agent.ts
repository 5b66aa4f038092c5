/** The verbs of containers over an engine in memory, and what most of their tests begin with. */
import { dockerOn } from "#agent/engines/kwdb/docker.ts";
import { kwdbKind } from "#agent/engines/kwdb/index.ts";
import { repetitionOf, wordsDigest } from "#agent/engines/kwdb/repetition.ts";
import type { Host, Probe, StepContext, StepResult, ToolRun } from "#agent/verb.ts";
import { FakeDocker, idOf } from "./fake-docker.ts";
import { fakeHost } from "./fake-host.ts";

export const [oldId, newId] = [idOf("1"), idOf("2")];
export const oldName = "kwdb/kwdb:3.0.0";
export const newName = "kwdb/kwdb:3.0.1";
export const oldImage = { digest: "", reference: "", version: "3.0.0", image: oldId, name: oldName };
export const newImage = { digest: "", reference: "", version: "3.0.1", image: newId, name: newName };

/** Both images, and the old container stopped. */
export function containerAgent(settings: object = { container: "kwdb" }): ContainerAgent {
  const made = new ContainerAgent(settings);
  made.docker.image(oldName, oldId, "3.0.0");
  made.docker.image(newName, newId, "3.0.1");
  made.docker.container("kwdb");
  return made;
}

/** As a plan shows them: those of the container that is there. */
export async function wordsOf(of: ContainerAgent): Promise<string> {
  const docker = dockerOn(of.host, {});
  const found = await docker.container("kwdb");
  if (!found.ok || found.value === undefined) throw new Error("no container");
  const words = await repetitionOf(docker, found.value);
  if (!words.ok) throw new Error(words.failure.code);
  return wordsDigest(words.value);
}

export const namesIn = (of: ContainerAgent) => [...of.docker.containers.keys()].sort();

/** Verbs of an agent whose file has these settings, over such an engine. */
export class ContainerAgent {
  readonly docker = new FakeDocker();
  readonly host: Host & { readonly root: string };
  rollout = "r1";
  #journal: { readonly words: string; readonly run: ToolRun }[] = [];
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

  #context(tool: StepContext["tool"]): StepContext {
    const { host, rollout } = this;
    const context: Partial<StepContext> = {
      ...{ host, rollout, stage: "node", attempt: 1, begunBefore: "nothing", deadlineMs: 1_000, earlier: {} },
      signal: AbortSignal.timeout(10_000),
      progress: () => undefined,
      tool,
    };
    return context as StepContext;
  }

  run(name: string, args: object = {}): Promise<StepResult> {
    this.#journal = [];
    return this.again(name, args);
  }

  /** The last verb once more, as the agent's next life does: its n-th tool meets the n-th of before. */
  again(name: string, args: object = {}): Promise<StepResult> {
    const verb = this.#verb(name);
    let met = 0;
    const tool: StepContext["tool"] = async ({ argv }) => {
      const known = this.#journal[met];
      met += 1;
      const words = argv.join(" ");
      if (known !== undefined && known.words !== words) throw new Error(`other words than before: ${words}`);
      const run = known?.run ?? this.docker.change(argv);
      if (known === undefined) this.#journal.push({ words, run });
      return run;
    };
    return verb.run(this.#context(tool), verb.args.parse(args));
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
    const tool = () => Promise.reject(new Error("a probe starts nothing"));
    return (await verb.probe(this.#context(tool), verb.args.parse(args))).state;
  }
}
