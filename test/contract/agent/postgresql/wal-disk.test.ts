/** The disk that fills while a slot keeps WAL is the one that WAL is on, wherever the rest of the data is. */
import {
  cpSync,
  lchownSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
} from "node:fs";
import path from "node:path";
import { afterEach, expect, it } from "vitest";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { watchingVerbs } from "#agent/engines/postgresql/watching.ts";
import type { StepContext } from "#agent/verb.ts";
import { hostOf, serverOf, stopAll } from "./asked-server.ts";

const elsewhere = "/dev/shm";
let folder = "";
afterEach(async () => {
  await stopAll();
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
});

function usedPercent(of: string): number {
  const { blocks, bavail } = statfsSync(of);
  return (1 - bavail / blocks) * 100;
}

it("is measured there", async (context) => {
  const server = await serverOf(17);
  const wal = path.join(server.data, "pg_wal");
  if (statSync(elsewhere, { throwIfNoEntry: false })?.dev === statSync(wal).dev)
    context.skip(`${elsewhere} is no disk of its own here`);
  if (Math.abs(usedPercent(elsewhere) - usedPercent(wal)) < 2)
    context.skip("both disks are as full as each other");
  await server.kill();
  folder = mkdtempSync(path.join(elsewhere, "lockkeeper-wal-"));
  const moved = path.join(folder, "pg_wal");
  const { uid, gid } = statSync(server.data);
  cpSync(wal, moved, { recursive: true });
  lchownSync(folder, uid, gid);
  for (const name of ["", ...readdirSync(moved, { recursive: true, encoding: "utf8" })])
    lchownSync(path.join(moved, name), uid, gid);
  rmSync(wal, { recursive: true });
  symlinkSync(moved, wal);
  await server.start();

  const settings = { host: "127.0.0.1", port: server.port, user: server.superuser, tools: "/tools" };
  const verb = watchingVerbs({ settings: postgresqlSettings.parse(settings) }).find(
    ({ name }) => name === "postgresql.wal-disk-percent",
  );
  const asked = { host: hostOf(), signal: AbortSignal.timeout(30_000), rollout: "r1" };
  const found = await verb?.run(asked as unknown as StepContext, verb.args.parse({}));
  const value = found?.result === "done" ? Number(found.outputs["value"]) : Number.NaN;
  expect(Math.abs(value - usedPercent(elsewhere))).toBeLessThan(1);
});
