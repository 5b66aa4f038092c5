/**
 * Reports of this node: a beat every few seconds, and what the coordinator asks for, at three depths. What is not
 * measured by the limit is UNKNOWN in the report; the report itself always goes out.
 */
import type { Clock, Random } from "#proto/common/clock.ts";
import { type NodeReport, reportFormat } from "#proto/common/report.ts";
import type { ConnectRequest } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import { type TakeHealth, Depth as WireDepth } from "#proto/gen/lockkeeper/v1/health_pb.ts";
import { type HostFactsReader, measure } from "./host/facts.ts";
import type { AgentEngine, Depth, Host } from "./verb.ts";

export interface HealthOptions {
  readonly node: string;
  readonly engine: AgentEngine;
  readonly host: Host;
  /** Its space matters as much as the engine's. */
  readonly stateDir: string;
  readonly facts: HostFactsReader;
  readonly clock: Clock;
  readonly random: Random;
  readonly send: (message: NonNullable<ConnectRequest["message"]>) => boolean;
}

const beatMs = 5_000;
const beatLimitMs = 4_000;
const longestLimitMs = 120_000;
const foldersLimitMs = 2_000;
/** Left of the coordinator's limit for the report to be written and to travel. */
const answerMs = 1_000;
/** A coordinator that asks faster than this node can answer gets no answer, which it takes for silence. */
const maxUnderway = 8;

const depths: Readonly<Record<WireDepth, Depth>> = {
  [WireDepth.UNSPECIFIED]: "pulse",
  [WireDepth.PULSE]: "pulse",
  [WireDepth.GATE]: "gate",
  [WireDepth.FULL]: "full",
};

export class Health {
  readonly #options: HealthOptions;
  #underway = 0;
  #everyMs = beatMs;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /** As the coordinator's Welcome asks; zero keeps the agent's own. */
  beatEvery(ms: number): void {
    this.#everyMs = ms > 0 ? Math.max(500, ms) : beatMs;
  }

  /** A beat out of turn, for a coordinator that has just been attached to and knows nothing yet. */
  greet(): void {
    void this.#answer("", WireDepth.PULSE, beatLimitMs);
  }

  /** Beats until the signal aborts. */
  async beat(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    while (!signal.aborted) {
      await this.#answer("", WireDepth.PULSE, beatLimitMs);
      await clock.sleep(this.#everyMs * (0.9 + random() * 0.2), signal).catch(() => undefined);
    }
  }

  readonly take = ({ request, depth, limitMs }: TakeHealth): void => {
    if (this.#underway >= maxUnderway) return;
    this.#underway++;
    const limit = Math.min(limitMs > 0 ? limitMs : beatLimitMs, longestLimitMs);
    void this.#answer(request, depth, Math.max(limit * 0.6, limit - answerMs)).finally(() => {
      this.#underway--;
    });
  };

  async #answer(request: string, depth: WireDepth, limitMs: number): Promise<void> {
    const report = await this.report(depths[depth], limitMs);
    const value = { request, depth, format: reportFormat, reportJson: Buffer.from(JSON.stringify(report)) };
    this.#options.send({ $case: "health", value });
  }

  async report(depth: Depth, limitMs: number): Promise<NodeReport> {
    const { node, engine, host, stateDir, facts, clock } = this.#options;
    const limit = new AbortController();
    const cancel = clock.after(limitMs, () => limit.abort());
    const takenAt = new Date(clock.now()).toISOString();
    try {
      const named = await measure(clock, Math.min(limitMs, foldersLimitMs), () => engine.folders(host));
      const folders = [...new Set("value" in named ? named.value : [])].map((path) => ({
        path,
        seen: host.path(path),
      }));
      const [ofHost, ofEngine] = await Promise.all([
        facts.read([...folders, { path: stateDir, seen: stateDir }], depth, limitMs),
        this.#engineFacts(depth, limitMs, limit.signal),
      ]);
      return {
        format: reportFormat,
        node,
        takenAt,
        doneAt: new Date(clock.now()).toISOString(),
        depth,
        engine: engine.engine,
        host: ofHost,
        facts: ofEngine,
      };
    } finally {
      cancel();
    }
  }

  /** An engine that breaks its promise to never throw, or to heed its signal, still leaves a report. */
  async #engineFacts(depth: Depth, limitMs: number, signal: AbortSignal): Promise<unknown> {
    const { engine, host, clock } = this.#options;
    const found = await measure(clock, limitMs + 250, () => engine.facts(host, depth, signal));
    return "value" in found ? found.value : found;
  }
}
