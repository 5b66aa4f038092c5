/** What proves a build that stands aside outlasts the tidying: a way back needs it, however old it is. */
import { mkdir, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { noteAside, removeAside } from "#agent/engines/kwdb/build-aside.ts";
import { recordedRollouts, writeBuildRecord } from "#agent/engines/kwdb/build-record.ts";
import { fakeHost } from "./fake-host.ts";

const host = fakeHost();
const start = { argv: ["kwbase"], cwd: "/", uid: 0, gid: 0, umask: "0022", environment: [], limits: {} };

async function keep(rollout: string, atSeconds: number): Promise<void> {
  await writeBuildRecord(host, {
    ...{ rollout, start, unit: null, folder: "/opt/kwdb", keptAt: "", version: "3.0.0", files: {} },
  });
  await utimes(join(host.stateDir, "program", `kept-${rollout}.json`), atSeconds, atSeconds);
}

it("keeps the eight newest, and older ones as long as their builds stand aside", async () => {
  const aside = host.path("/opt/kwdb.kept-3.0.0-r01");
  await mkdir(aside, { recursive: true });
  await noteAside(host, aside);
  await noteAside(host, host.path("/opt/kwdb.kept-3.0.0-r02"));
  const all = Array.from({ length: 12 }, (_, index) => `r${String(index + 1).padStart(2, "0")}`);
  for (const [index, rollout] of all.entries()) await keep(rollout, 1_000 + index);
  expect(await recordedRollouts(host)).toEqual(["r01", ...all.slice(4)]);
  await removeAside(host, aside);
  await keep("r13", 2_000);
  expect(await recordedRollouts(host)).toEqual([...all.slice(5), "r13"]);
  await rm(host.root, { recursive: true });
});
