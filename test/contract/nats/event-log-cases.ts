/** What every event log promises, whatever keeps it. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { EventLog } from "#coordinator/engine/ports.ts";
import type { StoredFormat } from "#coordinator/nats/stored.ts";

export interface Event {
  readonly format: 1;
  readonly sequence: number;
  readonly text: string;
}

export const events = (from: number, count: number): Event[] =>
  Array.from({ length: count }, (_, index) => ({
    format: 1,
    sequence: from + index,
    text: `event ${from + index}`,
  }));

export const texts: StoredFormat<Event> = {
  format: 1,
  schema: z.object({ format: z.literal(1), sequence: z.number(), text: z.string() }),
};

const sequences = (found: readonly Event[]): readonly number[] => found.map(({ sequence }) => sequence);

/** `open` gives two writers of one new log. */
export function eventLogCases(
  where: string,
  open: () => Promise<readonly [EventLog<Event>, EventLog<Event>]>,
): void {
  describe(`an event log ${where}`, () => {
    it("reads back what was appended, in order, from any place", async () => {
      const [log] = await open();
      await log.append("r1", events(1, 3), 0);
      await log.append("r2", events(1, 1), 0);
      await log.append("r1", events(4, 2), 3);
      expect(await log.read("r1")).toEqual(events(1, 5));
      expect(sequences(await log.read("r1", 3))).toEqual([4, 5]);
      expect(await log.read("r1", 5)).toEqual([]);
      expect(await log.read("nothing")).toEqual([]);
      expect(await log.subjects()).toEqual(["r1", "r2"]);
    });

    it("keeps the names of its subjects", async () => {
      const [log] = await open();
      for (const name of ["20260131-221500-ab", "集群 一", "a.b", "*"])
        await log.append(name, events(1, 1), 0);
      expect(await log.subjects()).toEqual(["*", "20260131-221500-ab", "a.b", "集群 一"].sort());
      expect(sequences(await log.read("*"))).toEqual([1]);
    });

    it("lets only one of two writers begin a history", async () => {
      const [one, other] = await open();
      const both = await Promise.all([one.append("r", events(1, 2), 0), other.append("r", events(1, 1), 0)]);
      expect(both.map(({ result }) => result).sort()).toEqual(["lost", "written"]);
      expect(await one.read("r")).toEqual(await other.read("r"));
    });

    it("lets only one of two writers go on from the same place", async () => {
      const [one, other] = await open();
      await one.append("r", events(1, 1), 0);
      const both = await Promise.all([one.append("r", events(2, 1), 1), other.append("r", events(2, 1), 1)]);
      expect(both.map(({ result }) => result).sort()).toEqual(["lost", "written"]);
      expect(await one.read("r")).toHaveLength(2);
    });

    it("is taken over at any place by a writer that has read it", async () => {
      const [one, other] = await open();
      await one.append("r", events(1, 3), 0);
      expect(await other.append("r", events(4, 1), 3)).toEqual({ result: "written", revision: 4 });
      expect(await one.append("r", events(4, 1), 3)).toEqual({ result: "lost" });
      // having read what the other wrote, the first goes on; its older end in memory is no reason to refuse
      expect(await one.append("r", events(5, 1), 4)).toEqual({ result: "written", revision: 5 });
      expect(await other.append("r", events(6, 1), 5)).toEqual({ result: "written", revision: 6 });
      expect(await one.read("r")).toEqual(events(1, 6));
    });

    it("counts each subject for itself, however they are mixed", async () => {
      const [one, other] = await open();
      for (let sequence = 1; sequence <= 10; sequence += 1) {
        await one.append("a", events(sequence, 1), sequence - 1);
        await other.append("b", events(2 * sequence - 1, 2), 2 * sequence - 2);
      }
      expect(sequences(await other.read("a"))).toHaveLength(10);
      expect(await other.append("a", events(11, 1), 10)).toMatchObject({ result: "written" });
      expect(await one.append("b", events(21, 1), 20)).toMatchObject({ result: "written" });
    });

    it("refuses an append that skips or repeats", async () => {
      const [log] = await open();
      await log.append("r", events(1, 2), 0);
      expect(await log.append("r", events(2, 1), 1)).toEqual({ result: "lost" });
      expect(await log.append("r", events(9, 1), 8)).toEqual({ result: "lost" });
      expect(await log.read("r")).toEqual(events(1, 2));
    });

    it("reads a long history without waiting", async () => {
      const [log] = await open();
      for (let from = 1; from <= 1_201; from += 100) await log.append("r", events(from, 100), from - 1);
      const began = performance.now();
      expect(await log.read("r")).toHaveLength(1_300);
      expect(performance.now() - began).toBeLessThan(900);
    });

    it("follows what is stored and then what comes, until it is told to stop", async () => {
      const [log, other] = await open();
      await log.append("r", events(1, 2), 0);
      const stop = new AbortController();
      const seen: number[] = [];
      const following = (async () => {
        for await (const event of log.follow("r", 1, stop.signal)) {
          seen.push(event.sequence);
          if (event.sequence === 4) stop.abort();
        }
      })();
      await other.append("r", events(3, 2), 2);
      await following;
      expect(seen).toEqual([2, 3, 4]);
    });

    it("ends a tail that nothing comes to, when it is told to", async () => {
      const [log] = await open();
      const stop = new AbortController();
      const following = (async () => {
        for await (const event of log.follow("r", 0, stop.signal)) expect(event).toBeUndefined();
      })();
      setTimeout(() => stop.abort(), 200);
      await following;
    });
  });
}
