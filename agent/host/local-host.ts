/** The host as this process can reach it: paths under the host root, looks with the agent's own environment. */
import { join } from "node:path";
import type { Clock } from "#proto/common/clock.ts";
import type { Host, Look } from "../verb.ts";
import { lookWith } from "./look.ts";

type Argv = readonly [string, ...string[]];

export interface LocalHostOptions {
  readonly hostRoot: string;
  readonly stateDir: string;
  readonly clock: Clock;
  /** All that a child gets; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly asUser: AsUser;
}

/** argv as another user; undefined when this agent may not. */
export type AsUser = (user: string | undefined, argv: Argv) => Argv | undefined;

export function localHost({ hostRoot, stateDir, clock, env, asUser }: LocalHostOptions): Host {
  return {
    path: (hostPath) => (hostRoot === "/" ? hostPath : join(hostRoot, hostPath)),
    clock,
    stateDir,
    look: (argv, { deadlineMs, user, cwd, env: more }) => {
      const as = asUser(user, argv);
      if (as === undefined) return Promise.resolve(notPermitted(user ?? ""));
      return lookWith(as, {
        deadlineMs,
        clock,
        env: { ...env, ...more },
        ...(cwd === undefined ? {} : { cwd }),
      });
    },
  };
}

/** root becomes anyone through runuser(1), which opens no session and asks nothing; others stay who they are. */
export function asUserFrom(self: { readonly uid: number; readonly name: string }): AsUser {
  return (user, argv) => {
    if (user === undefined || user === self.name) return argv;
    return self.uid === 0 ? ["runuser", "-u", user, "--", ...argv] : undefined;
  };
}

function notPermitted(user: string): Look {
  const spawnError = `this agent does not run as root and may not become ${user}`;
  return { exitCode: undefined, signal: undefined, timedOut: false, stdout: "", stderr: "", spawnError };
}
