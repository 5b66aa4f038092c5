/**
 * What each agent says of itself, on its present stream: its Hello, and what has happened on the stream
 * since. It is what mayGrant and takeOver are asked with; a stream that ends takes its report with it.
 */
import { type Hello, ProgramStanding, type UnfinishedProgram } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import type { AgentReport, UnfinishedReport } from "../domain/lock.ts";
import type { Presence } from "./ports.ts";

interface Live {
  readonly stream: number;
  readonly stateId: string;
  readonly highest: Map<string, number>;
  unfinished: (UnfinishedReport & { readonly cluster: string }) | undefined;
}

export class AgentReports {
  readonly #live = new Map<string, Live>();

  attached({ node, hello, stream }: Presence): void {
    this.#live.set(node, {
      stream,
      stateId: hello.stateId,
      highest: highestOf(hello),
      unfinished: unfinishedOf(hello.unfinished),
    });
  }

  detached(node: string): void {
    this.#live.delete(node);
  }

  epochAccepted(node: string, cluster: string, epoch: number): void {
    const live = this.#live.get(node);
    if (live === undefined) return;
    live.highest.set(cluster, Math.max(epoch, live.highest.get(cluster) ?? 0));
    if (live.unfinished?.standing === "waiting" && live.unfinished.epoch < epoch) live.unfinished = undefined;
  }

  programStands(node: string, program: UnfinishedReport & { readonly cluster: string }): void {
    const live = this.#live.get(node);
    if (live !== undefined) live.unfinished = program;
  }

  programGone(node: string): void {
    const live = this.#live.get(node);
    if (live !== undefined) live.unfinished = undefined;
  }

  stateId(node: string): string | undefined {
    return this.#live.get(node)?.stateId;
  }

  unfinished(node: string): (UnfinishedReport & { readonly cluster: string }) | undefined {
    return this.#live.get(node)?.unfinished;
  }

  /** Reports of the cluster's members, by node; undefined for whoever has no present stream. */
  of(cluster: string, members: readonly string[]): Readonly<Record<string, AgentReport | undefined>> {
    return Object.fromEntries(members.map((node) => [node, toReport(this.#live.get(node), cluster)]));
  }
}

function toReport(live: Live | undefined, cluster: string): AgentReport | undefined {
  if (live === undefined) return undefined;
  const { stream, stateId, highest, unfinished } = live;
  return {
    stream,
    stateId,
    highestEpoch: highest.get(cluster) ?? 0,
    ...(unfinished === undefined ? {} : { unfinished }),
  };
}

function highestOf({ highest }: Hello): Map<string, number> {
  return new Map(highest.map(({ cluster, epoch }) => [cluster, epoch]));
}

const standings = {
  [ProgramStanding.UNSPECIFIED]: "in-flight",
  [ProgramStanding.WAITING]: "waiting",
  [ProgramStanding.IN_FLIGHT]: "in-flight",
  [ProgramStanding.ENDED]: "ended",
} as const;

function unfinishedOf(program: UnfinishedProgram | undefined): Live["unfinished"] {
  if (program === undefined) return undefined;
  const { rollout, stage, cluster, epoch, nonce, standing } = program;
  return { rollout, stage, cluster, epoch, nonce, standing: standings[standing] };
}
