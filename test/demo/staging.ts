/** What every demo's program does around its play: a folder of its own, an end at Ctrl-C and SIGTERM, and nothing left behind. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Where this machine lacks what a demo is made of: one line for the person, and exit code 2. */
export class MeansMissing extends Error {}

export interface Stage {
  play(): Promise<number>;
  stop(): Promise<void>;
}

const lastWordsMs = 5_000;

/** Never returns: ends the process with the play's exit code. */
export async function perform(keep: boolean, set: (folder: string) => Stage): Promise<never> {
  // for good: where nobody else listened any more, execa would end this process at once
  const interrupted = new Promise<number>((resolve) => {
    process.on("SIGINT", () => resolve(130));
    process.on("SIGTERM", () => resolve(143));
  });
  const folder = await mkdtemp(path.join(os.tmpdir(), "lockkeeper-demo-"));
  // a server that does not run as root has its own folder in here
  await chmod(folder, 0o711);
  const stage = set(folder);
  let code = 1;
  let play: Promise<unknown> = Promise.resolve();
  try {
    const playing = stage.play();
    play = playing.catch(() => undefined);
    code = await Promise.race([playing, interrupted]);
  } catch (error) {
    console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
    if (error instanceof MeansMissing) code = 2;
  } finally {
    await stage.stop();
    // an interrupted one fails at its next word, and writes nothing after that
    await Promise.race([play, sleep(lastWordsMs)]);
    if (!keep) await rm(folder, { recursive: true, force: true });
    if (code === 130 || code === 143)
      console.log(`the demo was ended: its processes are gone${keep ? "" : ", and its folder too"}`);
    if (keep) console.log(`everything of this demo stands in ${folder}`);
  }
  process.exit(code);
}
