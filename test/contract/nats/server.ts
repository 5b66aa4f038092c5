/** A nats-server for a test: fetched as the product fetches it, in a folder of its own, ended with the test. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedNats, startEmbedded } from "#coordinator/nats/embedded.ts";
import { systemClock } from "#proto/common/clock.ts";

export function natsBinary(suite = "forky"): string {
  return execFileSync(new URL("../../../deploy/nats/fetch.sh", import.meta.url).pathname, [suite], {
    encoding: "utf8",
    timeout: 400_000,
  }).trim();
}

export interface TestNats extends AsyncDisposable {
  readonly server: EmbeddedNats;
  readonly folder: string;
}

export async function startTestNats(): Promise<TestNats> {
  const folder = mkdtempSync(join(tmpdir(), "lockkeeper-nats-"));
  const server = await startEmbedded({
    binary: natsBinary(),
    folder,
    clock: systemClock,
    startLimitMs: 20_000,
  });
  return {
    server,
    folder,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
