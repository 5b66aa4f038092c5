import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LeaderRecord } from "#coordinator/domain/leader.ts";
import { Leadership, type LeadershipOptions } from "#coordinator/nats/leadership.ts";
import { type MemoryRegister, memoryRegister } from "#test/doubles/memory/register.ts";
import { VirtualClock } from "#test/flow/engine/virtual-clock.ts";

interface Seat {
  readonly leadership: Leadership;
  readonly terms: number[];
  readonly calls: string[];
  stop(): Promise<void>;
}

let clock: VirtualClock;
let register: MemoryRegister<LeaderRecord>;
let seats: Seat[];

beforeEach(() => {
  clock = new VirtualClock();
  register = memoryRegister<LeaderRecord>();
  seats = [];
});

afterEach(async () => {
  await Promise.all(seats.map((seat) => seat.stop()));
});

function sit(coordinator: string, more: Partial<LeadershipOptions> = {}): Seat {
  const stopped = new AbortController();
  const terms: number[] = [];
  const calls: string[] = [];
  const leadership = new Leadership({
    register,
    clock,
    random: () => 0.5,
    coordinator,
    address: `${coordinator}:7440`,
    begin: async (term) => {
      terms.push(term);
      calls.push("begin");
    },
    end: async () => void calls.push("end"),
    warn: () => undefined,
    ...more,
  });
  const running = leadership.run(stopped.signal);
  const stop = async () => {
    stopped.abort();
    await running;
  };
  const seat = { leadership, terms, calls, stop };
  seats.push(seat);
  return seat;
}

const leading = () => seats.filter(({ leadership }) => leadership.leads).length;
/** Lets time pass, and looks at every moment at which something happens that never two lead. */
async function pass(ms: number, most = 1): Promise<void> {
  const endMs = clock.monotonicMs() + ms;
  clock.after(ms, () => undefined);
  await clock.until(() => {
    expect(leading()).toBeLessThanOrEqual(most);
    return clock.monotonicMs() >= endMs;
  });
}

describe("leadership", () => {
  it("is taken at once where nobody leads, and by one only", async () => {
    const [a, b] = [sit("a"), sit("b")];
    await pass(10_000);
    expect([a.leadership.leads, b.leadership.leads]).toEqual([true, false]);
    expect(b.leadership.leaderAddress).toBe("a:7440");
    expect(a.terms).toEqual([1]);
  });

  it("goes to another within the lease when the leader's process is gone without a word", async () => {
    let dead = false;
    const a = sit("a", {
      register: { ...register, swap: async (...given) => (dead ? never() : register.swap(...given)) },
    });
    const b = sit("b");
    await pass(10_000);
    expect(a.leadership.leads).toBe(true);
    dead = true;
    await pass(22_600);
    expect(a.leadership.leads).toBe(false);
    expect(a.calls).toEqual(["begin", "end"]);
    await pass(14_000);
    expect(b.leadership.leads).toBe(true);
    expect(b.terms).toEqual([2]);
    seats = [b];
  });

  it("is given up at three quarters of the lease when the store does not answer, though no beat comes to an end", async () => {
    let hangs = false;
    const a = sit("a", {
      register: { ...register, read: async (name) => (hangs ? never() : register.read(name)) },
    });
    await pass(5_000);
    expect(a.leadership.leads).toBe(true);
    hangs = true;
    await pass(23_000);
    expect(a.leadership.leads).toBe(false);
    expect(a.calls).toEqual(["begin", "end"]);
    seats = [];
  });

  it("outlives an election of the store", async () => {
    const a = sit("a");
    await pass(5_000);
    register.setLeaderless(true);
    await pass(10_000);
    expect(a.leadership.leads).toBe(true);
    register.setLeaderless(false);
    await pass(60_000);
    expect(a.calls).toEqual(["begin"]);
  });

  it("is resumed at once by the same coordinator after a crash, in a new term", async () => {
    sit("a");
    await pass(5_000);
    seats = [];
    const again = sit("a");
    await pass(4_000);
    expect(again.leadership.leads).toBe(true);
    expect(again.terms).toEqual([2]);
  });

  it("is not shared by two coordinators of one name", async () => {
    const first = sit("a");
    await pass(5_000);
    const namesake = sit("a");
    await pass(200_000, 2);
    expect(namesake.leadership.leads).toBe(true);
    expect(first.leadership.leads).toBe(false);
    expect(first.calls).toEqual(["begin", "end"]);
    expect(namesake.terms).toEqual([2]);
  });

  it("is ours when only the acknowledgement of the term was lost", async () => {
    register.loseNextAck();
    const a = sit("a");
    const b = sit("b");
    await pass(10_000);
    expect(a.leadership.leads).toBe(true);
    expect(b.leadership.leads).toBe(false);
    expect(a.terms).toEqual([1]);
  });

  it("is given back on an orderly end, so that another need not wait", async () => {
    const [a, b] = [sit("a"), sit("b")];
    await pass(10_000);
    await a.stop();
    expect(a.calls).toEqual(["begin", "end"]);
    await pass(5_000);
    expect(b.leadership.leads).toBe(true);
  });

  it("is not answered for before it has begun, and a beginning that fails is tried again", async () => {
    let failures = 0;
    const a = sit("a", {
      begin: async () => {
        failures += 1;
        if (failures < 3) throw new Error("the inventory could not be read");
      },
    });
    await clock.until(() => failures === 1);
    expect(a.leadership.leads).toBe(false);
    await pass(15_000);
    expect(a.leadership.leads).toBe(true);
    expect(a.calls).toEqual(["end", "end"]);
  });

  it("keeps its beat while a beginning takes long", async () => {
    let begun = () => {};
    const a = sit("a", { begin: () => new Promise((resolve) => (begun = resolve)) });
    const b = sit("b");
    await pass(100_000);
    expect([a.leadership.leads, b.leadership.leads]).toEqual([false, false]);
    begun();
    await pass(1_000);
    expect(a.leadership.leads).toBe(true);
  });
});

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}
