/**
 * What each agent says of itself, on its present stream: its Hello, and what has happened on the stream
 * since. It is what mayGrant and takeOver are asked with; a stream that ends takes its report with it.
 */
import {
  type ConnectRequest,
  type Hello,
  type ProgramAccepted,
  ProgramStanding,
  type UnfinishedProgram,
} from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import { ProgramOutcome } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import type { AgentReport, UnfinishedReport } from "../../domain/lock.ts";
import type { Presence } from "../ports.ts";

interface Live {
  readonly stream: number;
  readonly stateId: string;
  readonly highest: Map<string, number>;
  unfinished: (UnfinishedReport & { readonly cluster: string }) | undefined;
  /** The newest program that it has taken: an end that is told of an earlier one says nothing of this. */
  newest: Taken | undefined;
  /** The newest wish to undo that has put a program to work again; it is told until it is answered, and does so once. */
  undoes?: string;
}

type Taken = Pick<ProgramAccepted, "rollout" | "stage" | "attempt" | "epoch">;

export class AgentReports {
  readonly #live = new Map<string, Live>();

  attached({ node, hello, stream }: Presence): void {
    this.#live.set(node, {
      stream,
      stateId: hello.stateId,
      highest: highestOf(hello),
      unfinished: unfinishedOf(hello.unfinished),
      newest: hello.unfinished,
    });
  }

  detached(node: string): void {
    this.#live.delete(node);
  }

  /** What each message says of its node's standing; taken as soon as it comes, before any rollout deals with it. */
  said(node: string, message: NonNullable<ConnectRequest["message"]>): void {
    switch (message.$case) {
      case "epochSeen":
        if (message.value.accepted) this.epochAccepted(node, message.value.cluster, message.value.epoch);
        return;
      case "enterRequest": {
        const { cluster, rollout, stage, epoch, nonce } = message.value;
        if (this.unfinished(node)?.epoch !== epoch)
          this.programStands(node, { cluster, rollout, stage, epoch, nonce, standing: "waiting" });
        return;
      }
      case "programAccepted":
        if (message.value.accepted) this.#taken(node, message.value);
        return;
      case "programEnded": {
        if (!isSame(this.#live.get(node)?.newest, message.value)) return;
        const unfinished = this.unfinished(node);
        const held =
          unfinished !== undefined &&
          unfinished.standing !== "waiting" &&
          message.value.outcome !== ProgramOutcome.NEVER_BEGUN;
        if (held) this.programStands(node, { ...unfinished, standing: "ended" });
        else this.programGone(node);
        return;
      }
      case "hello":
      case "health":
      case "stepEvent":
      case "holdMadePermanent":
      case "watchFired":
      case "watchAnswered":
      case "goodbye":
      case "auditHeadKept":
        return;
    }
  }

  /** Another try or phase under the lock that the one before has entered works at once, without asking to enter. */
  #taken(node: string, program: Taken): void {
    const live = this.#live.get(node);
    if (live === undefined || isSame(live.newest, program)) return;
    live.newest = program;
    const { unfinished } = live;
    if (unfinished?.standing !== "ended") return;
    const { rollout, stage, epoch } = program;
    if (unfinished.rollout === rollout && unfinished.epoch === epoch)
      live.unfinished = { ...unfinished, stage, standing: "in-flight" };
  }

  /** What had ended is at work again: its steps are undone, and its next end is the end of that. */
  undoAsked(node: string, program: Taken & { readonly ask: number }): void {
    const live = this.#live.get(node);
    const { unfinished } = live ?? {};
    if (live === undefined || unfinished?.standing !== "ended") return;
    const { rollout, stage, attempt, epoch, ask } = program;
    if (unfinished.rollout !== rollout || unfinished.epoch !== epoch) return;
    const wish = JSON.stringify([rollout, stage, attempt, epoch, ask]);
    if (live.undoes === wish) return;
    live.undoes = wish;
    live.newest = { rollout, stage, attempt, epoch };
    live.unfinished = { ...unfinished, stage, standing: "in-flight" };
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

function isSame(newest: Taken | undefined, { rollout, stage, attempt, epoch }: Taken): boolean {
  return (
    newest?.rollout === rollout &&
    newest.stage === stage &&
    newest.attempt === attempt &&
    newest.epoch === epoch
  );
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
