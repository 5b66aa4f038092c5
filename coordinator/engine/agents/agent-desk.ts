/** Receives what the agents say and puts it before the rollouts that it concerns. */
import type { ConnectRequest } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import type { RolloutEvent } from "../../domain/rollout/event.ts";
import { heardUpTo } from "../../domain/rollout/state.ts";
import type { AuditHeads } from "../audit-heads.ts";
import type { Drivers } from "../drivers.ts";
import type { LockDeeds } from "../lock/lock-deeds.ts";
import { stopIfBroken } from "../lock/quarantine.ts";
import type { Standings } from "../lock/standings.ts";
import type { AgentEvents, EventLog, Fleet, Presence } from "../ports.ts";
import type { AgentReports } from "./agent-reports.ts";
import { Closing } from "./closing.ts";

type Said = NonNullable<ConnectRequest["message"]>;

export interface AgentDeskMeans {
  readonly reports: AgentReports;
  readonly deeds: LockDeeds;
  readonly standings: Standings;
  readonly drivers: Drivers;
  readonly log: Pick<EventLog<RolloutEvent>, "read">;
  readonly heads: Pick<AuditHeads, "attached" | "detached" | "keeps">;
  /** Set when the room is built: the desk is one of its parts. */
  fleet(): Fleet;
  warn(text: string, facts: Readonly<Record<string, unknown>>): void;
}

export class AgentDesk implements AgentEvents {
  readonly #means: AgentDeskMeans;
  readonly #closing: Closing;

  constructor(means: AgentDeskMeans) {
    this.#means = means;
    this.#closing = new Closing(means);
  }

  attached(presence: Presence): void {
    const { reports, deeds, standings, drivers, heads, warn } = this.#means;
    reports.attached(presence);
    heads.attached(presence);
    drivers.tellAll(presence.node, { kind: "attached", node: presence.node });
    const { node, hello } = presence;
    stopIfBroken(node, { reports, deeds, fleet: this.#means.fleet() }).catch((error: unknown) =>
      warn("whether its lock was broken could not be read", { node, cause: String(error) }),
    );
    if (hello.unfinished !== undefined) this.#closeEnded(node, hello.unfinished.rollout);
    standings
      .meet(node, hello.stateId, "first contact")
      .catch((error: unknown) =>
        warn("a node's state id could not be recorded", { node, cause: String(error) }),
      );
  }

  detached(node: string): void {
    this.#means.reports.detached(node);
    this.#means.heads.detached(node);
    this.#means.drivers.tellAll(node, { kind: "detached", node });
  }

  said(node: string, message: Said): void {
    if (message.$case === "auditHeadKept") {
      this.#means.heads.keeps(node, message.value.head);
      return;
    }
    const presence = this.#means.fleet().presence(node);
    if (presence === undefined) return;
    this.#means.reports.said(node, message);
    const rollout = rolloutOf(message);
    const mail = { kind: "said", node, stateId: presence.hello.stateId, message } as const;
    if (rollout === undefined) this.#means.drivers.tellAll(node, mail);
    else if (!this.#means.drivers.deliver(rollout, mail)) this.#answerForClosed(node, rollout, message);
  }

  positions(node: string): readonly { readonly rollout: string; readonly sequence: number }[] {
    const presence = this.#means.fleet().presence(node);
    if (presence === undefined) return [];
    return this.#means.drivers.states().flatMap((state) => {
      const sequence = heardUpTo(state, node, presence.hello.stateId);
      return sequence === 0 ? [] : [{ rollout: state.id, sequence }];
    });
  }

  /** Nobody drives it: resending helps nobody, and where its log says that it has ended, neither does keeping. */
  #answerForClosed(node: string, rollout: string, message: Said): void {
    if (!("sequence" in message.value)) return;
    this.#means.fleet().send(node, { $case: "ack", value: { rollout, sequence: message.value.sequence } });
    this.#closeEnded(node, rollout);
  }

  #closeEnded(node: string, rollout: string): void {
    this.#closing.tell(node, rollout).catch((error: unknown) =>
      this.#means.warn("whether a rollout has ended could not be read", {
        node,
        rollout,
        cause: String(error),
      }),
    );
  }
}

function rolloutOf(message: Said): string | undefined {
  return "rollout" in message.value ? message.value.rollout : undefined;
}
