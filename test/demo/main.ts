/**
 * The demo: three stand-in KWDB nodes as processes on loopback, each with its own agent, one coordinator with
 * its own NATS. Everything on the screen is printed by the product; this program only types the commands.
 */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { DemoFleet } from "./fleet.ts";
import { playFailure, playUpgrade } from "./script.ts";

const { values } = parseArgs({
  options: { "fail-at": { type: "string" }, keep: { type: "boolean", default: false } },
});
const failAt = values["fail-at"];
const folder = await mkdtemp(path.join(os.tmpdir(), "lockkeeper-demo-"));
const fleet = new DemoFleet({ folder, dist: path.join(import.meta.dirname, "..") });
let code = 1;
const interrupted = new Promise<number>((resolve) => process.once("SIGINT", () => resolve(130)));
try {
  const play = fleet
    .start()
    .then(() => (failAt === undefined ? playUpgrade(fleet) : playFailure(fleet, failAt)));
  play.catch(() => undefined);
  code = await Promise.race([play, interrupted]);
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
} finally {
  await fleet.stop();
  if (values.keep) console.log(`everything of this demo stands in ${folder}`);
  else await rm(folder, { recursive: true, force: true });
}
process.exit(code);
