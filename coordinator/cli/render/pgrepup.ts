/** For those who come from pgrepup: its commands, what does the same here, and what is different about it. */
import { padTo, widthOf } from "./table.ts";

interface Counterpart {
  readonly pgrepup: string;
  /** As typed here, in turn. */
  readonly ours: readonly string[];
  readonly differs: string;
}

export const counterparts: readonly Counterpart[] = [
  {
    pgrepup: "config",
    ours: ["lockkeeper init postgresql"],
    differs:
      "an inventory, and a file for each host's agent; a password stays on its host; reads pgrepup's file",
  },
  {
    pgrepup: "check",
    ours: ["lockkeeper check CLUSTER --to VERSION --into NEW"],
    differs:
      "creates no extension to find out; pglogical only where --method pglogical wants it; plan looks again",
  },
  {
    pgrepup: "fix",
    ours: ["lockkeeper plan CLUSTER --to VERSION --into NEW"],
    differs: "a step of the plan: an index or the whole row tells rows apart; no column is added; put back",
  },
  {
    pgrepup: "setup",
    ours: ["lockkeeper plan CLUSTER --to VERSION --into NEW -o plan.json"],
    differs:
      "read every step before it runs; an error of the schema stops; what was there before is never dropped",
  },
  {
    pgrepup: "start",
    ours: ["lockkeeper apply plan.json"],
    differs: "so many databases at once; waits without a lock; gives up before the old server's disk is full",
  },
  {
    pgrepup: "status",
    ours: ["lockkeeper status CLUSTER", "lockkeeper why CLUSTER", "lockkeeper watch CLUSTER"],
    differs: "tables and bytes of each database; the worst slot, by what the new server has confirmed",
  },
  {
    pgrepup: "stop",
    ours: ["lockkeeper approve CLUSTER"],
    differs:
      "fences writes, waits for the last row, sets sequences exactly, compares, then opens the new server",
  },
  {
    pgrepup: "uninstall",
    ours: ["lockkeeper approve CLUSTER", "lockkeeper plan --back CLUSTER"],
    differs:
      "let the old server go, or go back to it with every row; a scan of both servers finds nothing left",
  },
];

export function renderCounterparts(): string {
  const wide = Math.max(...counterparts.map(({ pgrepup }) => widthOf(pgrepup))) + 2;
  const lines = counterparts.flatMap(({ pgrepup, ours, differs }) => [
    `  ${padTo(pgrepup, wide)}${ours.join("; ")}`,
    `  ${padTo("", wide)}  ${differs}`,
  ]);
  return [
    "What pgrepup's commands are called here. CLUSTER is the old server's name in the inventory, NEW the new one's.",
    "",
    ...lines,
    "",
    "Carried over: sequences, exactly; large objects and rows of unlogged tables, up to carry-limit-bytes;",
    "  tables and columns that come during the copy, through the server's own replication.",
    "Any other change of the schema meanwhile is named: make the same on the new server, then lockkeeper retry.",
    "After the cut-over there is a way back, with every row, until you let the old server go: lockkeeper plan --back.",
    "More: docs/postgresql.md",
  ].join("\n");
}
