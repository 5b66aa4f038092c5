/** What every story of a rollout by real processes asks: why it stopped, what to type next, and whether all is well at last. */
import { expect } from "vitest";
import type { StopView, WhyView } from "#coordinator/domain/views.ts";
import type { Follow, ProcessFleet } from "./fleet.ts";
import type { Killer } from "./killer.ts";
import type { Operator } from "./operator.ts";
import { outagesOf, overlaps } from "./records.ts";
import { toVersion } from "./site.ts";

const stoppedSafely = 5;
const waitsForPerson = 8;
const coordinatorUnreachable = 11;
const mostStops = 20;

type Stopped = Pick<StopView, "why"> | undefined;

/** Of the last stop that was heard. */
export function stopOf({ events }: Follow): Stopped {
  const stopped = events.findLast(({ fact }) => fact.kind === "stopped")?.fact;
  return stopped?.kind === "stopped" ? stopped : undefined;
}

/** The stage that began last. */
function waitsAt({ events }: Follow): string {
  const started = events.findLast(({ fact }) => fact.kind === "stage-started")?.fact;
  return started?.kind === "stage-started" ? started.stage : "";
}

export function reasonOf(follow: Follow): string {
  return stopOf(follow)?.why.code ?? "stopped without a word";
}

/** What `why` tells to type, as words without the program's name. */
export async function nextCommand(fleet: Operator, cluster = "billing"): Promise<readonly string[]> {
  await fleet.untilAttached();
  const { answers } = await fleet.json<WhyView>(["why", cluster]);
  const command = answers.find((answer) => answer.command?.startsWith("lockkeeper "))?.command;
  // neither a kill nor a mended fault is drift or a refusal: it never takes more than to try again
  expect(command, JSON.stringify(answers)).toMatch(/^lockkeeper (retry|resume|approve) /);
  return (command ?? "").split(" ").slice(1);
}

/**
 * Follows a rollout from `apply` to its end under these kills, typing what the product says whenever it has stopped or waits for
 * a person; to the wait `until`, where that is told.
 */
export async function playedUnder(
  fleet: Operator,
  killer: Killer,
  begin: (hear: Killer["hear"]) => Follow,
  { cluster = "billing", until = "" }: { readonly cluster?: string; readonly until?: string } = {},
): Promise<readonly string[]> {
  const stops: string[] = [];
  let follow = begin(killer.hear);
  let lost = 0;
  for (let ran = await follow.ended; ran.code !== 0; ran = await follow.ended) {
    if (ran.code === coordinatorUnreachable) {
      // on a slow machine it comes back later than the command waits; the rollout goes on, and so does whoever looks
      await killer.mended();
      lost += 1;
      expect(lost, ran.stderr).toBeLessThan(mostStops);
      follow = fleet.follow(["watch"], killer.hear);
      continue;
    }
    if (ran.code === waitsForPerson) {
      await killer.mended();
      if (waitsAt(follow) === until) break;
      follow = fleet.follow(await nextCommand(fleet, cluster), killer.hear);
      continue;
    }
    expect(ran.code, ran.stderr).toBe(stoppedSafely);
    stops.push(reasonOf(follow));
    expect(stops.length, stops.join("; ")).toBeLessThan(mostStops);
    await killer.mended();
    follow = fleet.follow(await nextCommand(fleet, cluster), killer.hear);
  }
  await killer.mended();
  return stops;
}

/** All at the new version, the lock free, and by the hosts' own records never two databases down at once. */
export async function allIsWell(fleet: ProcessFleet): Promise<void> {
  await isAt(fleet, toVersion);
  const outages = await outagesOf(fleet.hosts);
  expect(new Set(outages.map(({ node }) => node))).toEqual(new Set(["db1", "db2", "db3"]));
  expect(overlaps(outages)).toEqual([]);
}

/** All at that version, ready, and the lock free. */
export async function isAt(fleet: ProcessFleet, version: string): Promise<void> {
  await fleet.untilAttached();
  expect(await fleet.versions()).toEqual(Array(3).fill(`${version} ready`));
  const locks = await fleet.json<readonly { readonly state: string }[]>(["lock", "list"]);
  expect(locks.map(({ state }) => state)).toEqual(["free"]);
}
