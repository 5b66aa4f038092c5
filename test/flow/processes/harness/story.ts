/** What every story of a rollout by real processes asks: why it stopped, what to type next, and whether all is well at last. */
import { expect } from "vitest";
import type { StopView, WhyView } from "#coordinator/domain/views.ts";
import { type Follow, type ProcessFleet, toVersion } from "./fleet.ts";
import { outagesOf, overlaps } from "./records.ts";

type Stopped = Pick<StopView, "why"> | undefined;

/** Of the last stop that was heard. */
export function stopOf({ events }: Follow): Stopped {
  const stopped = events.findLast(({ fact }) => fact.kind === "stopped")?.fact;
  return stopped?.kind === "stopped" ? stopped : undefined;
}

export function reasonOf(follow: Follow): string {
  return stopOf(follow)?.why.code ?? "stopped without a word";
}

/** What `why` tells to type, as words without the program's name. */
export async function nextCommand(fleet: ProcessFleet): Promise<readonly string[]> {
  await fleet.untilAttached();
  const { answers } = await fleet.json<WhyView>(["why", "billing"]);
  const command = answers.find((answer) => answer.command?.startsWith("lockkeeper "))?.command;
  // neither a kill nor a mended fault is drift or a refusal: it never takes more than to try again
  expect(command, JSON.stringify(answers)).toMatch(/^lockkeeper (retry|resume) /);
  return (command ?? "").split(" ").slice(1);
}

/** All at the new version, the lock free, and by the hosts' own records never two databases down at once. */
export async function allIsWell(fleet: ProcessFleet): Promise<void> {
  await fleet.untilAttached();
  expect(await fleet.versions()).toEqual(Array(3).fill(`${toVersion} ready`));
  const outages = await outagesOf(fleet.hosts);
  expect(new Set(outages.map(({ node }) => node))).toEqual(new Set(["db1", "db2", "db3"]));
  expect(overlaps(outages)).toEqual([]);
  const locks = await fleet.json<readonly { readonly state: string }[]>(["lock", "list"]);
  expect(locks.map(({ state }) => state)).toEqual(["free"]);
}
