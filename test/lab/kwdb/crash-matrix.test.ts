// One node in each form that is no script's, whose agent is killed at every boundary of its steps, every second in one
// upgrade and the others in the next, and whose coordinator is killed at six named moments. Each ends done, or stopped
// with its name and a command that is then typed; no container and no data is lost, and the old version is there
// until the end.
import { afterEach, expect, it } from "vitest";
import { hasCompiler } from "#test/doubles/kwdb/build-program.ts";
import { describeLongLab } from "../harness/index.ts";
import { AgentWatch } from "../product/agent-watch.ts";
import { typePrinted, whyOf } from "../product/typed.ts";
import { type LabFleet, startFleet } from "./fleet.ts";
import { type Form, type FormName, forms, markData, oldOnes, whatStands } from "./forms.ts";
import type { KwdbNode } from "./node.ts";

const lanes = 2;
const mostLanes = 4;
const mostStops = 6;
const upgradeMs = 400_000;
const canBuild = await hasCompiler();

await describeLongLab("a node whose agent and coordinator are killed", () => {
  let fleet: LabFleet | undefined;

  afterEach(async () => {
    await fleet?.[Symbol.asyncDispose]();
    fleet = undefined;
  });

  for (const [name, form] of Object.entries(forms) as [FormName, Form][])
    it.skipIf(name === "compiled" && !canBuild)(
      `${name}: at every boundary of the agent's, at six moments of the coordinator's`,
      async () => {
        fleet = await startFleet({
          ...form.spec,
          ...{ name: `crash-${name}`, names: ["db1"], topology: "single", version: "3.0.0", to: "3.0.1" },
        });
        const node = fleet.node("db1");
        await markData(node, form);
        const before = await whatStands(node, form);
        expect(before).toMatchObject({ mark: "written at the old version", ready: 200, begunAnew: 1 });
        const struck = new Set<string>();
        let missed: readonly string[] = [];
        let patch = 1;
        for (; patch <= lanes || (missed.length > 0 && patch <= mostLanes); patch++) {
          if (patch > 1) await fleet.aim(`3.0.${patch}`);
          // what an earlier stop has put off is struck by itself
          await using watch = await (patch <= lanes
            ? AgentWatch.killing(node.host, patch - 1, lanes)
            : AgentWatch.killingAt(node.host, missed));
          const stops = await upgradeToItsEnd(fleet);
          const deeds = await watch.deeds();
          for (const deed of deeds) struck.add(deed);
          const known = await watch.known();
          missed = known.filter((boundary) => !struck.has(boundary));
          console.log(`${name}, lane ${patch}: ${deeds.length} kills; stops: ${stops.join("; ") || "none"}`);
          console.log(`${name}: ${known.length} boundaries, not yet: ${missed.join(", ") || "none"}`);
          await expectWell(node, { form, before, version: `3.0.${patch}` });
        }
        await fleet.aim(`3.0.${patch}`);
        const stops = await upgradeUnderCoordinatorKills(fleet, node, form);
        console.log(
          `${name}, coordinator: ${form.moments.length} kills; stops: ${stops.join("; ") || "none"}`,
        );
        await expectWell(node, { form, before, version: `3.0.${patch}` });
        expect(missed).toEqual([]);
      },
      1_500_000,
    );
});

/** Types what is printed whenever it stops; answers with why it did. */
async function upgradeToItsEnd(fleet: LabFleet): Promise<readonly string[]> {
  const stops: string[] = [];
  for (let ran = await fleet.upgrade(upgradeMs); ran.code !== 0; ran = await typePrinted(fleet)) {
    expect(ran.code, await fleet.explained(ran)).toBe(5);
    const { text } = await whyOf(fleet);
    stops.push(text.split("\n")[0] ?? "");
    expect(stops.length, stops.join("\n")).toBeLessThan(mostStops);
  }
  return stops;
}

/** At each moment the agent is held still, so that the coordinator dies in it and nowhere else. */
async function upgradeUnderCoordinatorKills(
  fleet: LabFleet,
  node: KwdbNode,
  form: Form,
): Promise<readonly string[]> {
  await using watch = await AgentWatch.holding(node.host, form.moments);
  const upgrading = upgradeToItsEnd(fleet);
  const endedEarly = upgrading.then((stops) => {
    throw new Error(`it ended before its last moment: ${stops.join("; ")}`);
  });
  for (const moment of form.moments) {
    await Promise.race([watch.held(moment), endedEarly]);
    if (moment === form.moments.at(-1)) {
      // until the tidying at the end, the old version is there
      expect(await oldOnes(node)).not.toEqual([]);
    }
    fleet.coordinator?.kill("SIGKILL");
    await fleet.coordinator?.ended;
    await watch.letGo(moment);
    await fleet.startCoordinator();
  }
  endedEarly.catch(() => undefined);
  return upgrading;
}

async function expectWell(
  node: KwdbNode,
  { form, before, version }: { form: Form; before: object; version: string },
): Promise<void> {
  expect(await whatStands(node, form)).toEqual(before);
  const rows = await node.status();
  expect(rows.map(({ build, isLive }) => `${build} ${isLive}`)).toEqual([`${version} true`]);
}
