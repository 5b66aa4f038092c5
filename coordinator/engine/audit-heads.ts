/**
 * The audit log's newest hash in the agents' keeping. A chain alone cannot show that its end was cut off; an agent
 * that keeps a hash which the log does not have can. That is recorded before the agent is given another one.
 */
import type { AuditEnds } from "../domain/audit.ts";
import type { CheckResult } from "../domain/check.ts";
import type { AuditTrail } from "./audit-trail.ts";
import type { Fleet, Presence } from "./ports.ts";

const endLost = "audit-end-lost";

export interface AuditHeadsMeans {
  readonly trail: AuditTrail;
  /** Set when the room is built. */
  fleet(): Fleet;
  warn(text: string, facts: Readonly<Record<string, unknown>>): void;
}

export class AuditHeads {
  readonly #means: AuditHeadsMeans;
  /** Attached agents whose word has been looked at; only they are given a new head. */
  readonly #kept = new Map<string, string>();

  constructor(means: AuditHeadsMeans) {
    this.#means = means;
    means.trail.onEntry(() => {
      for (const node of this.#kept.keys()) this.#give(node);
    });
  }

  attached({ node, stream, hello }: Presence): void {
    this.#kept.delete(node);
    this.#compare(node, hello.auditHead)
      .then(() => {
        if (this.#means.fleet().presence(node)?.stream !== stream) return;
        this.#kept.set(node, hello.auditHead);
        this.#give(node);
      })
      .catch((error: unknown) =>
        this.#means.warn("an agent's audit head could not be compared", { node, cause: String(error) }),
      );
  }

  detached(node: string): void {
    this.#kept.delete(node);
  }

  /** The agent has synced it to its disk. */
  keeps(node: string, head: string): void {
    if (this.#kept.has(node)) this.#kept.set(node, head);
  }

  async ends(): Promise<AuditEnds> {
    const { trail } = this.#means;
    const { entries } = await trail.read();
    return {
      kept: [...this.#kept].map(([node, head]) => ({ node, sequence: trail.placeOf(head) })),
      lost: entries
        .filter(({ deed }) => deed === endLost)
        .map(({ subject, facts, at }) => ({ node: subject, head: facts["head"] ?? "", at })),
    };
  }

  async checks(): Promise<readonly CheckResult[]> {
    const [{ chainHolds }, { kept, lost }] = await Promise.all([this.#means.trail.read(), this.ends()]);
    const nodes = [...new Set(lost.map(({ node }) => node))].join(", ");
    const keepers = String(kept.filter(({ sequence }) => sequence !== undefined).length);
    return [
      { id: "audit.chain", status: chainHolds ? "ok" : "ko", facts: {}, yields: "never" },
      { id: "audit.end", status: nodes === "" ? "ok" : "ko", facts: { nodes, keepers }, yields: "never" },
    ];
  }

  async #compare(node: string, head: string): Promise<void> {
    const { trail, warn } = this.#means;
    if (head === "" || trail.placeOf(head) !== undefined) return;
    await trail.load();
    if (trail.placeOf(head) !== undefined) return;
    const { lost } = await this.ends();
    if (lost.some((known) => known.node === node && known.head === head)) return;
    warn("the end of the audit log is lost", { node, head });
    await trail.record({ who: "lockkeeper", deed: endLost, subject: node, reason: "", facts: { head } });
  }

  #give(node: string): void {
    const { trail, fleet } = this.#means;
    if (trail.head !== "" && trail.head !== this.#kept.get(node))
      fleet().send(node, { $case: "keepAuditHead", value: { head: trail.head } });
  }
}
