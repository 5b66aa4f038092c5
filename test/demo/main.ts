/**
 * The demo: three stand-in KWDB nodes as processes on loopback, each with its own agent, one coordinator with
 * its own NATS. Everything on the screen is printed by the product; this program only types the commands.
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { DemoFleet } from "./fleet.ts";
import { playFailure, playUpgrade } from "./script.ts";
import { perform } from "./staging.ts";

const { values } = parseArgs({
  options: { "fail-at": { type: "string" }, keep: { type: "boolean", default: false } },
});
const failAt = values["fail-at"];
await perform(values.keep, (folder) => {
  const fleet = new DemoFleet({ folder, dist: path.join(import.meta.dirname, "..") });
  return {
    play: async () => {
      await fleet.start();
      return failAt === undefined ? playUpgrade(fleet) : playFailure(fleet, failAt);
    },
    stop: () => fleet.stop(),
  };
});
