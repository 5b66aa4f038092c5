/** A host that answers looks by a function, with a folder of its own below a root. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host, Look } from "#agent/verb.ts";
import { systemClock } from "#proto/common/clock.ts";

export function lookOf(stdout: string, more: Partial<Look> = {}): Look {
  return { exitCode: 0, signal: undefined, timedOut: false, stdout, stderr: "", ...more };
}

type Answer = (argv: readonly string[]) => Look;

export function fakeHost(answer: Answer = () => lookOf("")): Host & { readonly root: string } {
  const root = mkdtempSync(join(tmpdir(), "kwdb-unit-"));
  return {
    root,
    path: (hostPath) => join(root, hostPath),
    look: (argv) => Promise.resolve(answer(argv)),
    clock: systemClock,
    stateDir: join(root, "state"),
  };
}
