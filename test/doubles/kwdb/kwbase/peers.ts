/** Who this node talks to, when it last heard from each, and what they know together. */
import { type Gossip, type Kept, merge, type NodeRecord } from "./records.ts";
import { askOnce, type Frame, type Reply } from "./wire.ts";

/** What a gossip frame and its reply carry. */
interface Word {
  readonly from?: string;
  readonly nodeId?: number;
  readonly clusterId?: string;
  readonly records?: readonly NodeRecord[];
  readonly settings?: Kept["settings"];
}

export class Peers {
  readonly #own: string;
  readonly #addresses: Set<string>;
  readonly #heard = new Map<number, number>();
  readonly #patienceMs: number;
  gossip: Gossip;

  /** Descriptors of a former life are forgotten: they are heard anew. */
  constructor(own: string, join: readonly string[], kept: Kept, patienceMs: number) {
    this.#own = own;
    this.#patienceMs = patienceMs;
    this.#addresses = new Set([...join, ...kept.peers].filter((address) => address !== own));
    const records = kept.records.map(({ desc: _, ...record }) => record);
    this.gossip = {
      records: new Map(records.map((record) => [record.id, record])),
      settings: new Map(kept.settings),
    };
  }

  get addresses(): readonly string[] {
    return [...this.#addresses];
  }

  heardSince(id: number, moment: number): boolean {
    return (this.#heard.get(id) ?? 0) > moment;
  }

  /** Sends and takes records; a peer that answers has been heard. */
  async tell(clusterId: string | undefined, nodeId: number | undefined): Promise<void> {
    for (const { id, desc } of this.gossip.records.values()) {
      if (desc !== undefined && id !== nodeId) this.#addresses.add(desc.address);
    }
    const frame: Frame = { rpc: "gossip", ...this.word(clusterId, nodeId) };
    const asked = this.addresses.map(async (address) => {
      const reply = await askOnce(address, frame, this.#patienceMs).catch(() => undefined);
      if (reply !== undefined) this.hear(reply, clusterId);
    });
    await Promise.all(asked);
  }

  /** False for a stranger: a node of another cluster. */
  hear(message: Frame | Reply, clusterId: string | undefined): boolean {
    const word = message as Word;
    if (clusterId !== undefined && word.clusterId !== undefined && word.clusterId !== clusterId) return false;
    if (word.nodeId !== undefined) this.#heard.set(word.nodeId, Date.now());
    if (word.from !== undefined && word.from !== this.#own) this.#addresses.add(word.from);
    const records = new Map(word.records?.map((record) => [record.id, record]));
    if (clusterId !== undefined)
      this.gossip = merge(this.gossip, { records, settings: new Map(word.settings) });
    return true;
  }

  word(clusterId: string | undefined, nodeId: number | undefined): Word {
    if (clusterId === undefined || nodeId === undefined) return { from: this.#own };
    const records = [...this.gossip.records.values()];
    return { from: this.#own, nodeId, clusterId, records, settings: [...this.gossip.settings] };
  }
}
