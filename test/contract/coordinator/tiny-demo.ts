/** A demo that starts one process and then does nothing more. */
import { DemoProcesses } from "#test/demo/processes.ts";
import { perform } from "#test/demo/staging.ts";

await perform(false, (folder) => {
  const demo = new DemoProcesses({ folder, dist: folder });
  return {
    play: async () => {
      const { pid } = demo.spawn("idle", ["-e", "setInterval(() => {}, 1000)"], process.env);
      console.log(`process ${pid} in ${folder}`);
      return new Promise<number>(() => undefined);
    },
    stop: () => demo.stop(),
  };
});
