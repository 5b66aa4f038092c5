// What an online upgrade by hand leaves on real hosts when it is cut short, found by check and mended by check --fix.
import { afterEach, expect, it } from "vitest";
import { describeLongLab } from "../harness/index.ts";
import { clusterName, type LabFleet, startFleet } from "./fleet.ts";

const env = "/etc/kaiwudb/script/kaiwudb_env";

await describeLongLab("left-overs of an online upgrade on real hosts", () => {
  let fleet: LabFleet | undefined;

  afterEach(async () => {
    await fleet?.[Symbol.asyncDispose]();
  });

  it("are found and mended: the mark, the flag, the setting", async () => {
    fleet = await startFleet({ name: "mend", version: "3.0.0", to: "3.0.1" });
    const [db1, db2, db3] = ["db1", "db2", "db3"].map((name) => fleet?.node(name));
    expect((await db1?.kwbase("node", "upgrade", "2"))?.code).toBe(0);
    await db2?.host.write(env, 'KAIWUDB_START_ARG="--cache=64MiB"\n');
    await db3?.host.write(env, 'KAIWUDB_START_ARG="--upgrade-complete --cache=64MiB"\n');
    const checked = await fleet.cli("check", ...fleet.targetWords);
    for (const found of [
      "it is marked as upgrading",
      "--upgrade-complete stands in kaiwudb_env",
      "as `kwbase node upgrade` leaves it",
    ])
      expect(checked.stdout).toContain(found);
    const words = [
      "check",
      clusterName,
      "--fix",
      "--store-dead",
      "45m",
      "-y",
      "--ack",
      "kwdb.meddlers",
      "--reason",
      "lab",
    ];
    const fixed = await fleet.longCli(240_000, ...words);
    expect(fixed.code, await fleet.explained(fixed)).toBe(0);
    const rows = (await db1?.status()) ?? [];
    expect(rows.map(({ id, isAvailable, isLive }) => `${id} ${isAvailable} ${isLive}`)).toEqual([
      "1 true true",
      "2 true true",
      "3 true true",
    ]);
    for (const node of [db2, db3])
      expect(await node?.host.read(env)).toBe('KAIWUDB_START_ARG="--cache=64MiB"\n');
    const shown = await db3?.kwbase(
      "sql",
      "--format=csv",
      "-e",
      "SHOW CLUSTER SETTING server.time_until_store_dead",
    );
    expect(shown?.stdout).toContain("45");
    expect(await fleet.lock()).toMatchObject({ state: "free" });
    const again = await fleet.cli("check", clusterName, "--fix", "-y");
    expect(`${again.stdout}${again.stderr}`).toContain("has no left-overs");
  });
});
