/** KWDB's verbs on a demo host, with the agent's own host, group runner and artefacts around them; no coordinator. */
import { mkdtempSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { kwdbKind } from "#agent/engines/kwdb/index.ts";
import { Artefacts } from "#agent/host/artefacts.ts";
import { GroupRunner } from "#agent/host/group-runner.ts";
import { localHost } from "#agent/host/local-host.ts";
import { type ParcelPost, parcelsOf } from "#agent/host/parcels.ts";
import type { GroupMark } from "#agent/program/entry.ts";
import type { AgentEngine, Depth, Host, Probe, StepContext, StepResult, ToolRun } from "#agent/verb.ts";
import { systemClock } from "#proto/common/clock.ts";
import { kwdbFullSchema } from "#proto/engines/kwdb.ts";
import type { DemoHost } from "#test/doubles/host/create-host.ts";

type Args = Readonly<Record<string, string>>;

const bootId = "boot";

export class KwdbDriver {
  readonly stateDir: string;
  readonly host: Host;
  /** What the coordinator would send for a digest: files by digest. */
  readonly artefacts = new Map<string, string>();
  /** What the next verb belongs to, and what its agent has begun before it. */
  rollout = "r1";
  attempt = 1;
  begunBefore: StepContext["begunBefore"] = "nothing";
  /** What the agents of this rollout have sent each other; shared by the drivers of several hosts. */
  parcels = new Map<string, { readonly digest: string; readonly bytes: Buffer }>();
  readonly #engine: AgentEngine;
  readonly #runner: GroupRunner;
  #tools = 0;
  /** Results of the present attempt's tools, in order; what an agent's journal keeps. */
  #journal: ToolRun[] = [];
  #met = 0;

  constructor(
    demo: DemoHost,
    folder: string,
    {
      stateDir = mkdtempSync(path.join(folder, "state-")),
      settings = {},
    }: { readonly stateDir?: string; readonly settings?: object } = {},
  ) {
    this.stateDir = stateDir;
    const env = { PATH: demo.env["PATH"] ?? "" };
    const asUser = (_: string | undefined, argv: readonly [string, ...string[]]) => argv;
    this.host = localHost({ hostRoot: demo.root, stateDir, clock: systemClock, env, asUser });
    this.#runner = new GroupRunner({
      folder: path.join(stateDir, "tools"),
      clock: systemClock,
      bootId,
      env,
      asUser,
      graceMs: 200,
    });
    this.#engine = kwdbKind.create(kwdbKind.settings.parse(settings)) as AgentEngine;
  }

  async run(name: string, args: Args = {}): Promise<StepResult> {
    this.#journal = [];
    return this.again(name, args);
  }

  /** The last verb once more, as the agent's next life does: its n-th tool meets the n-th of before. */
  async again(name: string, args: Args = {}): Promise<StepResult> {
    this.#met = 0;
    const verb = this.#verb(name);
    return verb.run(this.#context(), verb.args.parse(args));
  }

  async probe(name: string, args: Args = {}): Promise<Probe> {
    const verb = this.#verb(name);
    if (verb.probe === undefined) throw new Error(`${name} has no probe`);
    return verb.probe(this.#context(), verb.args.parse(args));
  }

  async facts(depth: Depth): Promise<Readonly<Record<string, unknown>>> {
    const facts = await this.#engine.facts(this.host, depth, AbortSignal.timeout(30_000));
    return facts as Readonly<Record<string, unknown>>;
  }

  async fullFacts() {
    return kwdbFullSchema.parse(await this.facts("full"));
  }

  /** `done`, or the code that says why not. */
  async outcome(name: string, args: Args = {}): Promise<string> {
    const result = await this.run(name, args);
    return result.result === "done" ? "done" : result.failure.code;
  }

  #verb(name: string) {
    const found = this.#engine.verbs.find((verb) => verb.name === `kwdb.${name}`);
    if (found === undefined) throw new Error(`no verb kwdb.${name}`);
    return found;
  }

  #context(): StepContext {
    const signal = AbortSignal.timeout(60_000);
    const artefacts = new Artefacts({
      folder: path.join(this.stateDir, "artefacts"),
      clock: systemClock,
      bytesPerSecond: 1e9,
      source: (digest, offset) => this.#send(digest, offset),
    });
    return {
      host: this.host,
      signal,
      deadlineMs: 60_000,
      rollout: this.rollout,
      stage: "node",
      attempt: this.attempt,
      begunBefore: this.begunBefore,
      earlier: {},
      progress: () => undefined,
      fetchArtefact: (digest) => artefacts.fetch(digest, signal),
      parcels: parcelsOf(
        {
          folder: path.join(this.stateDir, "parcels"),
          clock: systemClock,
          bytesPerSecond: 1e9,
          post: this.#post,
        },
        this.rollout,
        signal,
      ),
      tool: (request) => this.#tool(request),
    };
  }

  readonly #post: ParcelPost = {
    send: async ({ name, digest }, chunks) => {
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks) parts.push(chunk);
      this.parcels.set(name, { digest, bytes: Buffer.concat(parts) });
    },
    find: async (_, name) => this.parcels.get(name),
    fetch: (_, digest, offset) => this.#sendParcel(digest, offset),
  };

  async *#sendParcel(digest: string, offset: number) {
    const found = [...this.parcels.values()].find((each) => each.digest === digest);
    if (found === undefined) throw new Error("no such parcel");
    yield { chunk: found.bytes.subarray(offset), totalBytes: found.bytes.length };
  }

  async *#send(digest: string, offset: number) {
    const file = this.artefacts.get(digest);
    if (file === undefined) throw new Error("no such artefact");
    const bytes = readFileSync(file);
    yield { chunk: bytes.subarray(offset), totalBytes: bytes.length };
  }

  /** As the agent's own Tools do it, without the journal: its end, its tail, then whatever outlived it ends. */
  async #tool(request: Parameters<StepContext["tool"]>[0]): Promise<ToolRun> {
    const met = this.#journal[this.#met];
    this.#met += 1;
    if (met !== undefined) return met;
    const ran = await this.#start(request);
    this.#journal.push(ran);
    return ran;
  }

  async #start(request: Parameters<StepContext["tool"]>[0]): Promise<ToolRun> {
    this.#tools += 1;
    const name = `tool-${this.#tools}`;
    let mark: GroupMark | undefined;
    const begun = await this.#runner.start({ name, ...request }, (given) => {
      mark = given;
      return Promise.resolve();
    });
    if ("refused" in begun) return { exitCode: 127, result: "exited", tail: begun.refused, runner: name };
    const trace = { name, bootId, ...(mark === undefined ? {} : { mark }) };
    for (;;) {
      const state = await this.#runner.look(trace);
      if (state.state !== "running") {
        await this.#runner.release(trace);
        const ended = state.state === "ended" ? state : { exitCode: undefined, result: "lost" as const };
        return {
          exitCode: ended.exitCode,
          result: ended.result,
          tail: await this.#runner.tail(name),
          runner: name,
        };
      }
      await sleep(20);
    }
  }
}
