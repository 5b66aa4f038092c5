/** An agent's state folder: records that outlive its deaths, folded by the product's `remember`. */
import { type Entry, keyText, type Recorded } from "#agent/program/entry.ts";
import { emptyMemory, type Memory } from "#agent/program/memory.ts";
import { remember } from "#agent/program/remember.ts";
import type { Truth } from "./truth.ts";

/** Thrown where the process dies: nothing behind it happens. Carries no stack, because histories are full of deaths. */
export const died = Symbol("died");

export class SimJournal {
  readonly #node: string;
  readonly #truth: Truth;
  #records: Recorded[] = [];
  memory: Memory = emptyMemory();
  /** Durable writes until it dies; endless for never. */
  fuse = Number.POSITIVE_INFINITY;
  writes = 0;

  constructor(node: string, truth: Truth) {
    this.#node = node;
    this.#truth = truth;
  }

  /** As after a restart; with a state id, as in an empty folder. */
  open(stateId?: string): void {
    this.fuse = Number.POSITIVE_INFINITY;
    this.memory = emptyMemory();
    if (stateId === undefined) for (const record of this.#records) remember(this.memory, record);
    else {
      this.#records = [];
      this.append({ kind: "born", format: 1, stateId, nextSequence: 1 });
    }
  }

  append(entry: Entry): void {
    if (this.fuse === 0) throw died;
    const record = { ...entry, n: (this.#records.at(-1)?.n ?? 0) + 1, at: "" };
    this.writes += 1;
    this.#records.push(record);
    remember(this.memory, record);
    this.#tellTruth(entry);
    this.fuse -= 1;
    // half of the deaths come right after the write, before anybody is told
    if (this.fuse === 0.5) throw died;
  }

  /** What is durable is so, even if the agent dies before it can say it. */
  #tellTruth(entry: Entry): void {
    if (entry.kind === "epoch-seen") this.#truth.sawEpoch(this.#node, entry.epoch, entry.nonce);
    if (entry.kind !== "entered" && entry.kind !== "freed") return;
    const program = this.memory.programs.get(keyText(entry))?.program;
    if (program === undefined) return;
    if (entry.kind === "entered") this.#truth.entered(this.#node, program);
    else this.#truth.left(this.#node, program.nonce);
  }
}
