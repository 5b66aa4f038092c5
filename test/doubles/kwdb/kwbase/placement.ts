/** PURE. Which node holds which replica and lease, and what each store's metrics say of it. */

export interface Member {
  readonly id: number;
  /** Its liveness record is unexpired. */
  readonly live: boolean;
  /** Live, not draining, and back for long enough to be given leases again. */
  readonly takesLeases: boolean;
  readonly replicaWeight: number;
  readonly leaseWeight: number;
}

export interface Range {
  readonly id: number;
  readonly system: boolean;
  readonly replicas: readonly number[];
  readonly leaseHolder: number | null;
  readonly wanted: number;
}

export interface StoreMetrics {
  readonly replicas: number;
  readonly leaseholders: number;
  readonly ranges: number;
  readonly unavailable: number;
  readonly underreplicated: number;
}

const systemRanges = 20;
const allRanges = 60;

/** Members repeated by weight, in rounds, so that a rotation over it is even. */
function ring(members: readonly Member[], weight: (member: Member) => number): readonly number[] {
  const rounds = Math.max(0, ...members.map(weight));
  return Array.from({ length: rounds }, (_, round) =>
    members.filter((member) => weight(member) > round).map((member) => member.id),
  ).flat();
}

function rotate(ids: readonly number[], start: number): readonly number[] {
  if (ids.length === 0) return [];
  const at = start % ids.length;
  return [...new Set([...ids.slice(at), ...ids.slice(0, at)])];
}

/** `copies` is 3 in a multi-replica cluster and 1 elsewhere; system ranges always want 3. */
export function place(members: readonly Member[], copies: number): readonly Range[] {
  const homes = ring(members, (member) => member.replicaWeight);
  const hosts = new Set(homes).size;
  const byId = new Map(members.map((member) => [member.id, member]));
  return Array.from({ length: allRanges }, (_, at) => {
    const system = at < systemRanges;
    const wanted = Math.min(system ? 3 : copies, hosts);
    const replicas = rotate(homes, at)
      .slice(0, wanted)
      .toSorted((a, b) => a - b);
    const holders = replicas.flatMap((id) => byId.get(id) ?? []);
    const quorum = holders.filter((member) => member.live).length * 2 > replicas.length;
    const able = holders.filter((member) => member.takesLeases);
    const choice = able.length > 0 ? able : holders.filter((member) => member.live);
    const candidates = ring(choice, (member) => member.leaseWeight);
    const [leaseHolder = null] = rotate(
      candidates.length > 0 ? candidates : choice.map((member) => member.id),
      at,
    );
    return { id: at + 1, system, replicas, leaseHolder: quorum ? leaseHolder : null, wanted };
  });
}

/** What the store of node `id` would report. A range is counted by its leaseholder, or by its first live replica. */
export function storeMetrics(id: number, ranges: readonly Range[], members: readonly Member[]): StoreMetrics {
  const live = new Set(members.filter((member) => member.live).map((member) => member.id));
  const counted = ranges.filter(
    (range) => (range.leaseHolder ?? range.replicas.find((replica) => live.has(replica))) === id,
  );
  return {
    replicas: ranges.filter((range) => range.replicas.includes(id)).length,
    leaseholders: ranges.filter((range) => range.leaseHolder === id).length,
    ranges: counted.length,
    unavailable: counted.filter((range) => range.leaseHolder === null).length,
    underreplicated: counted.filter(
      (range) => range.replicas.filter((replica) => live.has(replica)).length < range.wanted,
    ).length,
  };
}
