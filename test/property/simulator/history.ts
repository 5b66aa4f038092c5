/**
 * Histories: made from a seed, played, and shrunk when one breaks an invariant. A history is a list of numbers,
 * each of which says what happens next and to whom; leaving some out gives another history, which is how it shrinks.
 */
import * as events from "./events.ts";
import { type Rules, soundRules } from "./rules.ts";
import type { Invariant, Truth, Violation } from "./truth.ts";
import { World } from "./world.ts";

/** What may go wrong in a history. Each history has some of them: with all at once nothing ever gets anywhere. */
const faults = {
  "messages lost": [events.lose, events.lose],
  "messages repeated": [events.repeat, events.repeat],
  "messages out of order": [events.overtake, events.overtake, events.overtake],
  "coordinators paused": [events.pause, events.wake, events.wake, events.longSilence],
  "coordinators killed": [events.killCoordinator],
  "leader changed": [events.handOver],
  "agents killed": [events.killAgent, events.lightFuse],
  "streams cut": [events.hangUp, events.hangUp],
  "store slow": [events.doLate, events.doLate, events.doLate],
  "answers of the store lost": [events.loseAnswer, events.loseAnswer],
  "store forgets": [events.forget],
  "agents lose their memory": [events.loseMemory],
  "steps fail": [events.failStep],
  "rollouts closed": [events.closeRollout],
} as const satisfies Record<string, readonly events.Happening[]>;

export type Fault = keyof typeof faults;
const faultNames = Object.keys(faults) as readonly Fault[];

const usual: readonly events.Happening[] = [
  ...Array<events.Happening>(40).fill(events.goOn),
  ...Array<events.Happening>(6).fill(events.deliverOldest),
  ...Array<events.Happening>(4).fill(events.serve),
  ...Array<events.Happening>(4).fill(events.work),
  ...Array<events.Happening>(2).fill(events.attach),
  events.arriveLate,
  events.beat,
  events.passTime,
  events.person,
  events.person,
];

export interface Setting {
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly nodes: number;
  readonly oldStreamsHeard: boolean;
}

export interface Played {
  readonly setting: Setting;
  readonly truth: Truth;
  readonly violation: Violation | undefined;
  readonly trace: readonly string[];
}

/** mulberry32: small, fast, and good enough to choose by. */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

function tableOf(chosen: readonly Fault[]): readonly events.Happening[] {
  return [...usual, ...chosen.flatMap((fault) => faults[fault])];
}

/** About a quarter of the faults, and those that are asked for. */
function settingOf(seed: number, { faults: wanted = [], oldStreamsHeard }: Focus): Setting {
  const random = randomOf(seed);
  const mask = random() & random();
  const chosen = faultNames.filter((fault, index) => ((mask >> index) & 1) === 1 || wanted.includes(fault));
  const nodes = 2 + (random() & 1);
  return { seed, faults: chosen, nodes, oldStreamsHeard: oldStreamsHeard ?? random() % 3 === 0 };
}

/** Each history's numbers, made when they are wanted: most histories are played once and forgotten. */
function* numbersOf({ seed }: Setting): Generator<number> {
  const random = randomOf(seed ^ 0x5eed);
  for (let left = 60 + (random() % 4) * 60; left > 0; left -= 1) yield random();
}

function play(
  setting: Setting,
  numbers: Iterable<number>,
  { rules = soundRules, sought = invariants, traced = false }: Looking & { readonly traced?: boolean } = {},
): Played {
  const picks = randomOf(setting.seed ^ 0x91c4);
  const trace: string[] = [];
  const { nodes, oldStreamsHeard } = setting;
  const pick = (n: number) => picks() % n;
  const world = new World({ rules, nodes, oldStreamsHeard, pick, ...(traced ? { trace } : {}) });
  const table = tableOf(setting.faults);
  world.coordinators[0]?.beat(true);
  for (const number of numbers) {
    const happening = table[(number >>> 16) % table.length] as events.Happening;
    happening(world, { a: number & 0xff, b: (number >>> 8) & 0xff });
    if (world.truth.violations.some(({ invariant }) => sought.includes(invariant))) break;
  }
  const violation = world.truth.violations.find(({ invariant }) => sought.includes(invariant));
  return { setting, truth: world.truth, violation, trace };
}

export interface Looking {
  readonly rules?: Rules;
  /** The invariants that it is about; others may break. */
  readonly sought?: readonly Invariant[];
  readonly focus?: Focus;
}

/** What every history of a search has, besides what its seed gives it. */
export interface Focus {
  readonly faults?: readonly Fault[];
  readonly oldStreamsHeard?: boolean;
}

const invariants: readonly Invariant[] = ["I1", "I2", "I3", "I4"];

export interface Found extends Played {
  readonly violation: Violation;
  readonly numbers: readonly number[];
  /** Histories played until this one, itself included. */
  readonly tries: number;
}

/** Plays histories until one breaks an invariant, and gives its shortest form; undefined where none does. */
export function search(
  { from, histories }: { readonly from: number; readonly histories: number },
  looking: Looking = {},
  watch: (played: Played) => void = () => undefined,
): Found | undefined {
  for (let tries = 1; tries <= histories; tries += 1) {
    const setting = settingOf(from + tries, looking.focus ?? {});
    const played = play(setting, numbersOf(setting), looking);
    watch(played);
    if (played.violation !== undefined) return { ...shrink(played, [...numbersOf(setting)], looking), tries };
  }
  return undefined;
}

/** Leaves out ever smaller pieces as long as the same invariant breaks. */
function shrink(
  { setting, violation }: Played,
  numbers: readonly number[],
  looking: Looking,
): Omit<Found, "tries"> {
  let shortest = numbers;
  const stillBreaks = (some: readonly number[]) =>
    play(setting, some, looking).violation?.invariant === violation?.invariant;
  for (let piece = Math.ceil(numbers.length / 2); piece >= 1; piece = Math.floor(piece / 2)) {
    for (let at = 0; at < shortest.length; ) {
      const some = [...shortest.slice(0, at), ...shortest.slice(at + piece)];
      if (stillBreaks(some)) shortest = some;
      else at += piece;
    }
  }
  const played = play(setting, shortest, { ...looking, traced: true });
  if (played.violation === undefined) throw new Error("a history is not played the same way twice");
  return { ...played, violation: played.violation, numbers: shortest };
}

/** For a failed test: what broke, how to play it again, and the shortest story of it. */
export function told({ violation, setting, trace, tries, numbers }: Found): string {
  const { seed, faults: chosen, nodes, oldStreamsHeard } = setting;
  const head = `${violation.invariant}: ${violation.text}`;
  const how = `seed ${seed} (history ${tries}), ${nodes} nodes, faults: ${chosen.join(", ")}; old streams ${oldStreamsHeard ? "heard" : "not heard"}, ${numbers.length} happenings`;
  return [head, how, ...trace].join("\n");
}
