// A lock between processes that the kernel gives back when its holder dies, by whatever death: `flock` holds it
// for a `cat` that lives as long as our end of its pipe.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import type { Socket } from "node:net";
import { dirname } from "node:path";

export interface FileLock extends AsyncDisposable {}

/** Takes the lock, waiting at most `waitMs`; null when somebody else still has it then. */
export async function takeFileLock(path: string, waitMs: number): Promise<FileLock | null> {
  mkdirSync(dirname(path), { recursive: true });
  const waitSeconds = String(Math.max(0, waitMs / 1000));
  const holder = spawn("flock", ["--wait", waitSeconds, path, "sh", "-c", "echo held; exec cat"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  holder.stdin.on("error", () => {});
  const ended = once(holder, "exit").catch(() => undefined);
  const held = await Promise.race([once(holder.stdout, "data").then(() => true), ended.then(() => false)]);
  if (!held) return null;
  // It must not keep this process alive, only die with it.
  holder.stdout.destroy();
  (holder.stdin as Socket).unref();
  holder.unref();
  return {
    async [Symbol.asyncDispose]() {
      holder.ref();
      holder.stdin.end();
      await ended;
    },
  };
}
