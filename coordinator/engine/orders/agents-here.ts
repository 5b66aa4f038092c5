/** Who of the inventory is here, and who is here without standing in it: two checks of `doctor`. Pure. */
import { splitAddress } from "#proto/common/loopback.ts";
import { nearest } from "#proto/common/nearest.ts";
import type { CheckResult } from "../../domain/check.ts";
import { fewOf } from "../../domain/few.ts";
import type { NodeEntry } from "../../domain/inventory.ts";
import type { StrangerView } from "../../domain/views.ts";

export interface AgentsHere {
  /** All nodes of the inventory. */
  readonly nodes: readonly NodeEntry[];
  isHere(node: string): boolean;
  readonly strangers: readonly Pick<StrangerView, "name" | "from">[];
}

export function agentChecks({ nodes, isHere, strangers }: AgentsHere): readonly CheckResult[] {
  const missing = nodes.filter(({ name }) => !isHere(name));
  return [allHere(nodes, missing), allKnown(strangers, missing)];
}

/** Agents dial the leader: another coordinator has none, and that says nothing of them. */
export function agentsElsewhere(leader: string): readonly CheckResult[] {
  const reason = { code: "coordinator.follows", facts: { leader } } as const;
  return ["agents.all-here", "agents.all-known"].map((id) => ({
    id,
    status: "not-applicable",
    facts: {},
    reason,
    yields: "never",
  }));
}

function allHere(nodes: readonly NodeEntry[], missing: readonly NodeEntry[]): CheckResult {
  const facts = {
    all: String(nodes.length),
    here: String(nodes.length - missing.length),
    nodes: fewOf(missing.map(({ name, address }) => `${name} (${address})`)),
  };
  const check = { id: "agents.all-here", facts, yields: "never" } as const;
  if (nodes.length === 0) return { ...check, status: "not-applicable" };
  if (missing.length === 0) return { ...check, status: "ok" };
  return { ...check, status: missing.length === nodes.length ? "ko" : "warn" };
}

function allKnown(strangers: AgentsHere["strangers"], missing: readonly NodeEntry[]): CheckResult {
  const agents = strangers.map((stranger) => {
    const meant = meantBy(stranger, missing);
    return `${stranger.name} from ${stranger.from}${meant === undefined ? "" : ` (perhaps ${meant})`}`;
  });
  return {
    id: "agents.all-known",
    status: strangers.length === 0 ? "ok" : "warn",
    facts: { agents: fewOf(agents), first: strangers[0]?.name ?? "" },
    yields: "never",
  };
}

/** The one node without an agent that stands at this address; else the one whose name is nearly the same. */
function meantBy({ name, from }: AgentsHere["strangers"][number], missing: readonly NodeEntry[]) {
  const [there, ...more] = missing.filter(({ address }) => (splitAddress(address)?.host ?? address) === from);
  if (there !== undefined && more.length === 0) return there.name;
  return nearest(
    name,
    missing.map((node) => node.name),
  );
}
