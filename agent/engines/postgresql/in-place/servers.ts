/**
 * Stop and start of either server by its unit, and the masks that keep the other one from being started by anybody, a boot included.
 * After `pg_upgrade --link` the old one is never started again, once the new one was told to.
 */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { syncFolder } from "../../../host/file-runner.ts";
import { markFolder } from "../../../host/marks.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { rollout } from "../../rollout-arg.ts";
import { ask, must, ownerOf, probeOf, resultOf, stop } from "../desk.ts";
import { readControl } from "../on-host/control.ts";
import { until, whatRuns } from "../on-host/standing.ts";
import { isDown, order, readUnit } from "../on-host/unit.ts";
import type { Means } from "../settings.ts";
import { controlBack } from "./data.ts";
import { alterNote, mustRead, type Note, readNote } from "./note.ts";
import { ofWhich, type PlacedServer, placeOf, type Which, which } from "./place.ts";

export function serverVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.stop-server",
      class: "reversible",
      args: ofWhich,
      run: (context, args) => resultOf(() => stopServer(context, means, args)),
      probe: (context, args) =>
        probeOf(async () => [
          ...(await whatRuns(context, placeOf(means)[args.which])),
          ...(args.which === "new" && !(await isMasked(context, means, "new")) ? ["it is not masked"] : []),
        ]),
    }),
    verb({
      name: "postgresql.start-server",
      class: "reversible",
      args: ofWhich,
      run: (context, args) => resultOf(() => startServer(context, means, args)),
      probe: (context, args) => probeOf(() => whyNotServing(context, means, args.which)),
    }),
    verb({
      name: "postgresql.mask-unit",
      class: "reversible",
      args: ofWhich,
      run: (context, args) => resultOf(() => mask(context, means, args)),
      probe: (context, args) =>
        probeOf(async () => ((await isMasked(context, means, args.which)) ? [] : ["mask"])),
    }),
    verb({
      name: "postgresql.unmask-unit",
      class: "reversible",
      args: ofWhich,
      run: (context, args) =>
        resultOf(async () => {
          await order(context, "unmask", placeOf(means)[args.which].unit);
          return (await isMasked(context, means, args.which))
            ? stop("postgresql.unit-masked", { unit: placeOf(means)[args.which].unit })
            : done();
        }),
      probe: (context, args) =>
        probeOf(async () => ((await isMasked(context, means, args.which)) ? ["mask"] : [])),
    }),
    verb({
      name: "postgresql.prove-stopped",
      class: "observe",
      args: z.strictObject({ which, systemId: z.string().regex(/^\d+$/), of: rollout.optional() }),
      run: (context, args) =>
        resultOf(() => proveStopped(context, placeOf(means)[args.which], args.systemId)),
    }),
  ];
}

async function isMasked(context: StepContext, means: Means, side: Which): Promise<boolean> {
  const { load, file } = must(await readUnit(context.host, placeOf(means)[side].unit));
  return load === "masked" || file.startsWith("masked");
}

async function stopServer(
  context: StepContext,
  means: Means,
  { which: side, of }: z.infer<typeof ofWhich>,
): Promise<StepResult> {
  const server = placeOf(means)[side];
  const whose = { ...context, rollout: ownerOf(context, { of }) };
  const { file } = must(await readUnit(context.host, server.unit));
  const note = await readNote(whose);
  if (side === "old" && note !== undefined) {
    if (note.wasEnabled === null) await alterNote(whose, { wasEnabled: file === "enabled" });
    await keepFence(whose);
  }
  await order(context, "stop", server.unit);
  await until(context, () => whatRuns(context, server), "postgresql.server-still-runs", {
    data: server.data,
  });
  // the old one is masked by a step of its own; this one may come up with the next boot
  if (side === "new") await order(context, "mask", server.unit);
  return done({ unit: server.unit });
}

/** What stood before the fence goes when the new server is opened; the old one still has the fence in its data. */
async function keepFence(of: Parameters<typeof markFolder>[0]): Promise<void> {
  const folder = markFolder(of);
  await copyFile(join(folder, "fence.json"), join(folder, "fence-of-old.json")).catch(() => undefined);
  await syncFolder(folder).catch(() => undefined);
}

async function fenceBack(of: Parameters<typeof markFolder>[0]): Promise<void> {
  const folder = markFolder(of);
  await copyFile(join(folder, "fence-of-old.json"), join(folder, "fence.json")).catch(() => undefined);
  await syncFolder(folder).catch(() => undefined);
}

async function startServer(
  context: StepContext,
  means: Means,
  { which: side, of }: z.infer<typeof ofWhich>,
): Promise<StepResult> {
  const place = placeOf(means);
  const server = place[side];
  const other = place[side === "old" ? "new" : "old"];
  const whose = { ...context, rollout: ownerOf(context, { of }) };
  const note = await mustRead(whose);
  const running = await whatRuns(context, other);
  if (running.length > 0) stop("postgresql.other-runs", { found: running.join(", ") });
  if (side === "old") await ready(whose, note, server);
  else await alterNote(whose, { isNewStarted: true });
  await order(context, "unmask", server.unit);
  if (note.wasEnabled === true) await order(context, "enable", server.unit);
  await order(context, "start", server.unit);
  await until(context, () => whyNotServing(context, means, side), "postgresql.server-does-not-serve", {
    unit: server.unit,
  });
  return done({ unit: server.unit });
}

/** The old one, again: its files are its own, and what stood before the fence is known. */
async function ready(whose: StepContext, note: Note, server: PlacedServer): Promise<void> {
  if (note.mode === "link" && note.isNewStarted) stop("postgresql.linked-data-used", { data: server.data });
  await controlBack(whose, server);
  if (note.isOpened) await fenceBack(whose);
}

async function whyNotServing(context: StepContext, means: Means, side: Which): Promise<readonly string[]> {
  const { unit, data } = placeOf(means)[side];
  const standing = must(await readUnit(context.host, unit));
  if (isDown(standing)) return [`${unit} is ${standing.active}`];
  try {
    const [row] = await ask(context, means, (sql) => sql.rows("SHOW data_directory"));
    const found = row?.["data_directory"] ?? "";
    return found === data ? [] : [`another data folder: ${found}`];
  } catch (error) {
    return [error instanceof Error ? error.message.slice(0, 300) : String(error)];
  }
}

async function mask(
  context: StepContext,
  means: Means,
  { which: side }: z.infer<typeof ofWhich>,
): Promise<StepResult> {
  const { unit } = placeOf(means)[side];
  await order(context, "mask", unit);
  return (await isMasked(context, means, side))
    ? done({ unit })
    : stop("postgresql.unit-not-masked", { unit });
}

/** No unit, no process, and a control file that says so: the files may be taken as they are. */
async function proveStopped(
  context: StepContext,
  server: PlacedServer,
  systemId: string,
): Promise<StepResult> {
  const running = await whatRuns(context, server);
  if (running.length > 0)
    stop("postgresql.server-still-runs", { data: server.data, cause: running.join("; ") });
  const control = must(await readControl(context.host, server));
  if (control.systemId !== systemId)
    stop("postgresql.another-server", { systemId: control.systemId, wanted: systemId });
  if (control.state !== "shut down")
    stop("postgresql.not-shut-down", { data: server.data, state: control.state });
  return done({ state: control.state });
}
