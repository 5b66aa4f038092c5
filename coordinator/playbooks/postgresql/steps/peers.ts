/** Steps by which one server gets into the other: a password, a role, a line of pg_hba.conf. */
import type { PlanStep } from "../../../domain/plan.ts";
import { type Endpoint, hostOf, list } from "../move.ts";
import { call, step } from "../step.ts";
import type { Of, Way } from "./of.ts";

export function makePassword(direction: Way): PlanStep {
  return step(
    `make-password-${direction}`,
    { direction },
    "a new password in a file of the server's account, 0600; its verifier goes to the other side",
    { verb: "make-password", class: "reversible", undo: call("drop-password", { direction }) },
  );
}

/** `as`: where a mover needs more than to read and to receive changes. */
export function admitPeer(
  direction: Way,
  databases: readonly string[],
  { peer, as }: { readonly peer: Endpoint; readonly as?: "superuser" },
): PlanStep {
  const args = { direction, databases: list(databases) };
  const from = hostOf(peer.address);
  return step(
    `admit-peer-${direction}`,
    { ...args, from, ...(as === undefined ? {} : { as }) },
    `CREATE ROLE lockkeeper_… LOGIN REPLICATION${as === undefined ? "" : " SUPERUSER"}; pg_hba.conf: host all lockkeeper_… ${from} scram-sha-256; reload`,
    { verb: "admit-peer", class: "reversible", undo: call("dismiss-peer", args) },
  );
}

export function proveReach(direction: Way, databases: readonly string[], peer: Endpoint): PlanStep {
  return step(
    `prove-reach-${direction}`,
    { direction, databases: list(databases), at: peer.address },
    `psql -h ${hostOf(peer.address)} -U lockkeeper_… into each database`,
    { verb: "prove-reach" },
  );
}

export function dismissPeer(direction: Way, databases: readonly string[], of: Of = {}): PlanStep {
  return step(
    `dismiss-peer-${direction}`,
    { direction, databases: list(databases), ...of },
    "DROP ROLE lockkeeper_…; its line out of pg_hba.conf; reload",
    { verb: "dismiss-peer", class: "reversible" },
  );
}

export function dropPassword(direction: Way, of: Of = {}): PlanStep {
  return step(`drop-password-${direction}`, { direction, ...of }, "rm the password's file", {
    verb: "drop-password",
    class: "reversible",
  });
}
