/**
 * The demo of PostgreSQL: a real 15 and a real 18 on loopback, an application that writes all the time, and the product
 * that takes its database from the one to the other. What the product says is its own; the demo types and proves.
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { perform } from "../staging.ts";
import { PostgresDemo } from "./fleet.ts";
import { play } from "./script.ts";

const { values } = parseArgs({
  options: { back: { type: "boolean", default: false }, keep: { type: "boolean", default: false } },
});
await perform(values.keep, (folder) => {
  const demo = new PostgresDemo({ folder, dist: path.join(import.meta.dirname, "..") });
  return {
    play: async () => {
      await demo.start();
      return play(demo, values);
    },
    stop: () => demo.stop(),
  };
});
