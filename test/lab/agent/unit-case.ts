/** Runs one case of the tool runners' contract against transient units; bundled and run inside a host as root. */
import { mkdir } from "node:fs/promises";
import { readBootId } from "#agent/host/boot-id.ts";
import { lookWith } from "#agent/host/look.ts";
import { UnitRunner, whyNoUnits } from "#agent/host/unit-runner.ts";
import { systemClock } from "#proto/common/clock.ts";
import { cases, unitCases } from "#test/contract/agent/tool-runner-cases.ts";

const folder = "/var/lib/lockkeeper-case/tools";
await mkdir(folder, { recursive: true });
const bootId = await readBootId();
const env = { PATH: process.env["PATH"] ?? "" };
const run = (argv: readonly [string, ...string[]], deadlineMs: number) =>
  lookWith(argv, { deadlineMs, clock: systemClock, env });
const why = await whyNoUnits(run);
if (why !== undefined) throw new Error(why);
const holds = { ...cases, ...unitCases }[process.argv[2] ?? ""];
if (holds === undefined) throw new Error("there is no such case");
await holds({ kind: "unit", bootId, runner: () => new UnitRunner({ folder, bootId, run, env }) });
