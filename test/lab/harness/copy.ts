// Copies a file or folder through a pipe of two tars, so that nothing of this machine has to be mounted in a host.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { cleanEnvironment } from "./run.ts";

const COPY_LIMIT_MS = 120_000;

/** Packs `source` (a folder: what is in it) and feeds it to `unpack`, which must be a tar reading standard input. */
export async function copyTree(source: string, unpack: readonly string[]): Promise<void> {
  const [folder, what] = statSync(source).isDirectory() ? [source, "."] : [dirname(source), basename(source)];
  const env = cleanEnvironment();
  const signal = AbortSignal.timeout(COPY_LIMIT_MS);
  const packer = spawn("tar", ["--create", `--directory=${folder}`, "--", what], {
    stdio: ["ignore", "pipe", "inherit"],
    env,
    signal,
  });
  const [file = "", ...args] = unpack;
  const unpacker = spawn(file, args, {
    stdio: [packer.stdout, "ignore", "inherit"],
    env,
    signal,
  });
  packer.stdout.destroy(); // the other tar has it now; an open copy here would hide its early end
  const ends = await Promise.all([once(packer, "exit"), once(unpacker, "exit")]);
  const codes = ends.map(([code]) => code as number | null);
  if (codes.some((code) => code !== 0))
    throw new Error(`cannot copy ${source}: tar ended with ${codes.join(", ")}`);
}
