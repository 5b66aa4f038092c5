/**
 * Settings that need a restart: written down with what was there before, then a restart by the one command that the agent's file
 * names, then measured. The undo writes back what was; the server takes it with its next restart, which is nobody's of ours.
 */
import { z } from "zod";
import { FailureError } from "#proto/common/failure.ts";
import { markOf } from "../../../host/marks.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { ask, must, of, ownerOf, probeOf, resultOf, stop } from "../desk.ts";
import { mustBeUnitOf } from "../on-host/unit-of-server.ts";
import { readPatroni } from "../patroni/facts.ts";
import { type PatroniSettings, runWith } from "../patroni/patronictl.ts";
import { dataDirectory } from "../server-files.ts";
import type { Means } from "../settings.ts";
import { write, writtenNow } from "./settings-file.ts";
import { type Wanted, wanted } from "./wanted.ts";

const args = z.strictObject({ settings: wanted });

const before = z.object({
  written: z.record(z.string(), z.string().nullable()),
  /** The unit that was found to be this server's, before it was told to restart it. */
  unit: z.string().optional(),
});

const pauseMs = 500;
const noticedMs = 90_000;
const servesMs = 120_000;

export function restartingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.write-settings",
      class: "reversible",
      args,
      run: (context, { settings }) => resultOf(() => writeDown(context, means, settings)),
      probe: (context, { settings }) =>
        probeOf(async () => {
          if ((await markFor(context, context.rollout).read()) === undefined) return ["note"];
          const now = await writtenNow(context, means, Object.keys(settings));
          return Object.keys(settings).filter((name) => now[name] !== settings[name]);
        }),
    }),
    verb({
      name: "postgresql.restart-server",
      class: "reversible",
      args,
      run: (context, { settings }) => resultOf(() => restart(context, means, settings)),
      probe: (context, { settings }) => probeOf(() => unlike(context, means, settings)),
    }),
    verb({
      name: "postgresql.restore-settings",
      class: "reversible",
      args: of,
      run: (context, given) => resultOf(() => restore(context, means, ownerOf(context, given))),
      probe: (context, given) =>
        probeOf(async () =>
          (await markFor(context, ownerOf(context, given)).read()) === undefined ? [] : ["settings"],
        ),
    }),
  ];
}

function markFor({ host }: StepContext, rollout: string) {
  return markOf({ host, rollout }, "settings", before);
}

async function writeDown(context: StepContext, means: Means, settings: Wanted): Promise<StepResult> {
  const names = Object.keys(settings);
  const mark = markFor(context, context.rollout);
  const known = await mark.read();
  const written = await writtenNow(context, means, names);
  if (known === undefined) await mark.write({ written });
  await write(context, means, settings);
  const now = await writtenNow(context, means, names);
  const missing = names.filter((name) => now[name] !== settings[name]);
  if (missing.length > 0) stop("postgresql.setting-not-written", { names: missing.join(", ") });
  return done({ before: shown(known?.written ?? written) });
}

/** By name, of those that are not in force. */
async function unlike(context: StepContext, means: Means, settings: Wanted): Promise<readonly string[]> {
  const rows = await ask(context, means, (sql) =>
    sql.rows("SELECT name, setting FROM pg_settings WHERE name = ANY ($1::text[])", [
      `{${Object.keys(settings).join(",")}}`,
    ]),
  );
  const inForce = new Map(rows.map((row) => [row["name"], row["setting"]]));
  const plain = (text: string | null | undefined) => (text ?? "").replaceAll(/[\s"]/g, "");
  return Object.entries(settings)
    .filter(([name, value]) => plain(inForce.get(name)) !== plain(value))
    .map(([name]) => name);
}

async function restart(context: StepContext, means: Means, settings: Wanted): Promise<StepResult> {
  const { unit, patroni } = means.settings;
  // an earlier life of this agent may have come so far
  if (await isInForce(context, means, settings)) return done({ settings: shown(settings) });
  if (patroni !== undefined)
    await restartByPatroni(context, patroni, () => isInForce(context, means, settings));
  else if (unit === undefined) stop("postgresql.restart-not-named");
  else {
    await proveUnit(context, means, unit);
    const ran = await context.tool({ argv: ["systemctl", "restart", unit] });
    if (ran.exitCode !== 0)
      stop("postgresql.restart-failed", {
        command: `systemctl restart ${unit}`,
        cause: ran.tail.slice(-300),
      });
  }
  const left = await untilServes(context, means, settings);
  if (left.length > 0) stop("postgresql.setting-not-in-force", { names: left.join(", ") });
  return done({ settings: shown(settings) });
}

/** Once: an earlier life of this agent may have told it to restart already, and between two servers there is none to ask. */
async function proveUnit(context: StepContext, means: Means, unit: string): Promise<void> {
  const mark = markFor(context, context.rollout);
  const known = await mark.read();
  if (known?.unit === unit) return;
  await mustBeUnitOf(context, { unit, data: await dataDirectory(context, means) });
  if (known !== undefined) await mark.write({ ...known, unit });
}

/** Each member takes what was written to all of them in its own time, and tells then that it has to be restarted. */
async function restartByPatroni(
  context: StepContext,
  patroni: PatroniSettings,
  isOver: () => Promise<boolean>,
): Promise<void> {
  const { clock } = context.host;
  for (const endMs = clock.monotonicMs() + noticedMs; ; ) {
    const { members, member, scope } = must(await readPatroni(context.host, patroni));
    if (members.some(({ name, isPendingRestart }) => name === member && isPendingRestart)) {
      await runWith(context, patroni, "restart", scope, member, "--force");
      return;
    }
    if (await isOver()) return;
    if (clock.monotonicMs() > endMs) stop("postgresql.patroni-not-taken", { what: `a restart of ${member}` });
    await clock.sleep(pauseMs, context.signal).catch(() => undefined);
  }
}

/** A server that does not answer tells nothing of it. */
function isInForce(context: StepContext, means: Means, settings: Wanted): Promise<boolean> {
  return unlike(context, means, settings).then(
    (left) => left.length === 0,
    () => false,
  );
}

/** What is not in force once it answers again. */
async function untilServes(context: StepContext, means: Means, settings: Wanted): Promise<readonly string[]> {
  const { clock } = context.host;
  let left: readonly string[] = [];
  for (const endMs = clock.monotonicMs() + servesMs; ; ) {
    try {
      left = await unlike(context, means, settings);
      if (left.length === 0) return left;
    } catch (error) {
      if (!(error instanceof FailureError) || clock.monotonicMs() > endMs) throw error;
    }
    // under Patroni the old server may have answered once more
    if (clock.monotonicMs() > endMs || (means.settings.patroni === undefined && left.length > 0)) return left;
    await clock.sleep(pauseMs, context.signal).catch(() => undefined);
  }
}

async function restore(context: StepContext, means: Means, rollout: string): Promise<StepResult> {
  const mark = markFor(context, rollout);
  const known = await mark.read();
  if (known === undefined) return done({ found: "never written by this rollout" });
  await write(context, means, known.written);
  await mark.remove();
  return done({ "told.settings": `as before with the server's next restart: ${shown(known.written)}` });
}

function shown(values: Readonly<Record<string, string | null>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value ?? "not set"}`)
    .join(", ");
}
