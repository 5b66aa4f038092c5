/** How fast a folder is: a bounded sample of which nothing stays, and which is not taken again and again. */
import { mkdirSync, readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { ArchiveRate } from "#agent/engines/kwdb/archive-rate.ts";
import type { Clock } from "#proto/common/clock.ts";
import { fakeHost } from "./fake-host.ts";

function bed() {
  let nowMs = 0;
  const host = fakeHost();
  // each look at the clock is 100 ms later: the two seconds are over after twenty blocks
  const clock: Clock = { ...host.clock, monotonicMs: () => (nowMs += 100) };
  mkdirSync(host.path("/backup"));
  const signal = new AbortController().signal;
  const read = (rate: ArchiveRate, folder = "/backup", by = signal) =>
    rate.read({ ...host, clock }, folder, by);
  return { host, read, pass: (ms: number) => (nowMs += ms) };
}

it("is bytes over time, of a sample that ends after two seconds and leaves nothing", async () => {
  const { host, read } = bed();
  const found = await read(new ArchiveRate());
  if (!found.ok) throw new Error(found.failure.code);
  expect(found.value.bytesPerSecond).toBeGreaterThan(5 * 1024 ** 2);
  expect(found.value.bytesPerSecond).toBeLessThan(15 * 1024 ** 2);
  expect(readdirSync(host.path("/backup"))).toEqual([]);
});

it("is remembered for an hour, and not longer", async () => {
  const { read, pass } = bed();
  const rate = new ArchiveRate();
  const first = await read(rate);
  expect(await read(rate, "/not-there")).toEqual(first);
  pass(60 * 60_000);
  expect(await read(rate, "/not-there")).toMatchObject({ ok: false, failure: { code: "file.unreadable" } });
  expect(await read(rate)).toMatchObject({ ok: true });
});

it("is not known where the sample was cut short, and that is not remembered", async () => {
  const { host, read } = bed();
  const rate = new ArchiveRate();
  expect(await read(rate, "/backup", AbortSignal.abort())).toMatchObject({
    ok: false,
    failure: { code: "kwdb.archive-rate-failed" },
  });
  expect(readdirSync(host.path("/backup"))).toEqual([]);
  expect(await read(rate)).toMatchObject({ ok: true });
});
