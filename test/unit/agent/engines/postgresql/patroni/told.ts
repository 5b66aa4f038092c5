/** A Patroni that is told things: what `patronictl` shows of it, and how its commands change it, as the real one does. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { stringify } from "yaml";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { Look, StepContext, ToolRequest, Verb } from "#agent/verb.ts";
import { systemClock } from "#proto/common/clock.ts";

export interface Told {
  config: Record<string, unknown>;
  /** Commands that changed something, without the words before them. */
  readonly ran: string[];
  /** It takes its commands and does nothing. */
  isDeaf?: boolean;
  /** It does not answer. */
  isGone?: boolean;
}

const folders: string[] = [];

/** For `afterEach`. */
export function forgetAll(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

const look = (stdout: string, exitCode = 0): Look => ({
  exitCode,
  signal: undefined,
  timedOut: false,
  stdout,
  stderr: exitCode === 0 ? "" : "Error: no etcd",
});

export function deskOf(
  told: Told,
  verbsOf: (means: { settings: ReturnType<typeof postgresqlSettings.parse> }) => readonly Verb[],
) {
  const settings = postgresqlSettings.parse({
    tools: "/bin",
    patroni: { config: "/etc/patroni/config.yml" },
  });
  const stateDir = mkdtempSync(path.join(tmpdir(), "lockkeeper-patroni-"));
  folders.push(stateDir);
  const context = {
    host: {
      path: (each: string) => each,
      stateDir,
      clock: systemClock,
      look: async () => (told.isGone === true ? look("", 1) : look(stringify(told.config))),
    },
    signal: AbortSignal.timeout(30_000),
    rollout: "r1",
    tool: async ({ argv }: ToolRequest) => {
      const words = argv.slice(3);
      told.ran.push(words.join(" "));
      if (told.isDeaf !== true) obey(told, words);
      return { exitCode: 0, result: "exited", tail: "", runner: "" };
    },
  } as unknown as StepContext;
  const of = (name: string) => {
    const verb = verbsOf({ settings }).find((each) => each.name === `postgresql.${name}`);
    if (verb === undefined) throw new Error(name);
    return verb;
  };
  return {
    does: (name: string, args: object = {}) => of(name).run(context, of(name).args.parse(args)),
    probes: (name: string, args: object = {}) => of(name).probe?.(context, of(name).args.parse(args)),
  };
}

function obey(told: Told, [command, ...words]: readonly string[]): void {
  if (command === "pause") told.config["pause"] = true;
  else if (command === "resume") delete told.config["pause"];
  else if (command === "edit-config")
    for (const word of words.filter((each) => each.includes("="))) {
      const [keys = "", value = ""] = [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)];
      edit(told.config, keys.split("."), JSON.parse(value));
    }
}

function edit(config: Record<string, unknown>, [key = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length > 0) {
    const within = (config[key] ?? {}) as Record<string, unknown>;
    config[key] = within;
    edit(within, rest, value);
    if (Object.keys(within).length === 0) delete config[key];
  } else if (value === null) delete config[key];
  else config[key] = value;
}
