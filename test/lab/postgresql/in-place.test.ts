// pg_upgrade in place between real servers of one host, with an application that writes before and after.
import { afterEach, expect, it } from "vitest";
import { describeLongLab } from "../harness/index.ts";
import { InPlaceFleet, lackOfBoth } from "./in-place-fleet.ts";

const caseMs = 580_000;
let fleet: InPlaceFleet | undefined;

afterEach(async () => {
  await fleet?.[Symbol.asyncDispose]();
  fleet = undefined;
}, 60_000);

async function begin(...given: Parameters<typeof InPlaceFleet.start>): Promise<InPlaceFleet> {
  fleet = await InPlaceFleet.start(...given);
  return fleet;
}

await describeLongLab(
  "pg_upgrade from PostgreSQL 17 to 18 in place",
  () => {
    it(
      "by copy: nothing is lost, what the new version does not know is told, and a boot starts the new one alone",
      async () => {
        const here = await begin({ name: "pg-place-copy" });
        const checked = await here.cli("check", "orders", "--to", "18", "--method", "pg-upgrade");
        expect(checked.code, checked.stdout + checked.stderr).toBe(0);
        const plan = await here.planned();
        expect(plan.pointOfNoReturn).toBe("upgrade/open/open-writes");
        await here.applied(8);
        await here.writesOn(20);
        expect(await here.old.sql("postgres", "SHOW server_version_num")).toMatch(/^17/);
        await here.approve(8);
        await here.writesOn(30);
        expect(await here.new.sql("postgres", "SHOW server_version_num")).toMatch(/^18/);
        await here.host.powerOff();
        await here.host.powerOn();
        await here.new.untilServes();
        await here.untilAttached();
        await here.writesOn(30, 60_000);
        const ended = await here.approve(0);
        const told = ended.stdout + ended.stderr + (await here.must("status", "orders"));
        console.log(told);
        await here.prove();
      },
      caseMs,
    );
  },
  lackOfBoth,
);
