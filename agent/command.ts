/**
 * The agent's command line. `run` is the service; `status` and `why` read the agent's file and journal and nothing
 * else, so that they answer on a host that has lost everything around it.
 */
import { randomUUID } from "node:crypto";
import { writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { uptime, userInfo } from "node:os";
import { Command } from "@commander-js/extra-typings";
import { render } from "#proto/catalogue/render.ts";
import { troubleAt, troubleOf } from "#proto/catalogue/trouble.ts";
import { type Random, systemClock } from "#proto/common/clock.ts";
import { type Failure, FailureError, failure } from "#proto/common/failure.ts";
import { type Log, makeLog } from "#proto/common/log.ts";
import { complaintsText } from "#proto/common/settings-file.ts";
import { takeFolder } from "#proto/common/sole-use.ts";
import { openStateFolder } from "#proto/common/state-folder.ts";
import { version } from "#proto/common/version.ts";
import { composeAgent, type World } from "./compose.ts";
import { type AgentConfig, readConfig } from "./config.ts";
import { readBootId } from "./host/boot-id.ts";
import { makeFolderDurably } from "./host/file-runner.ts";
import { asUserFrom } from "./host/local-host.ts";
import { lookWith } from "./host/look.ts";
import { noticeAlive, noticeReady } from "./host/service-notice.ts";
import type { Disk } from "./program/disk.ts";
import { readStatus, statusText, whyText } from "./status.ts";
import type { EngineKind } from "./verb.ts";

export interface CommandOptions {
  readonly process: NodeJS.Process;
  readonly env: NodeJS.ProcessEnv;
  readonly random: Random;
  readonly kinds: readonly EngineKind[];
  readonly disk: Disk;
}

const exitCodes = { internal: 1, configuration: 2 } as const;
const defaultConfig = "/etc/lockkeeper/agent.yaml";

export async function agentCommand(options: CommandOptions): Promise<void> {
  const { process } = options;
  try {
    await agentProgram(options).parseAsync(process.argv);
  } catch (error) {
    complain(
      process,
      error instanceof FailureError
        ? error.failure
        : failure("agent.cannot-start", { cause: troubleAt(error) }),
    );
  }
}

/** The tree of commands; parsing it runs one. */
export function agentProgram(options: CommandOptions): Command {
  const { process } = options;
  const program = new Command("lockkeeper-agent")
    .description("The hands of Lockkeeper on one database host")
    .showHelpAfterError();
  program
    .command("run")
    .description("serve this host until told to stop")
    .option("--config <file>", "the agent's file", defaultConfig)
    .action(({ config }) => serve(options, config));
  program
    .command("status")
    .description("what this agent knows, from its journal alone")
    .option("--config <file>", "the agent's file", defaultConfig)
    .option("-o, --output <format>", "table or json", "table")
    .action(async ({ config, output }) => {
      const status = await localStatus(options, config);
      if (status !== undefined)
        process.stdout.write(output === "json" ? `${JSON.stringify(status)}\n` : statusText(status));
    });
  program
    .command("why")
    .description("what this agent waits for, since when, and who can change it")
    .option("--config <file>", "the agent's file", defaultConfig)
    .action(async ({ config }) => {
      const status = await localStatus(options, config);
      if (status !== undefined) process.stdout.write(whyText(status));
    });
  program
    .command("version")
    .description("print the version")
    .action(() => void process.stdout.write(`${version}\n`));
  return program as unknown as Command;
}

async function localStatus(options: CommandOptions, file: string) {
  const config = await load(options, file);
  if (config === undefined) return undefined;
  const status = await readStatus(config, file);
  if (status.ok) return status.value;
  complain(options.process, status.failure);
  return undefined;
}

async function load({ process, kinds }: CommandOptions, file: string): Promise<AgentConfig | undefined> {
  const text = await readFile(file, "utf8").catch((error: Error) => error);
  if (text instanceof Error) {
    const facts = { file, cause: troubleOf(text), example: "deploy/agent.example.yaml" };
    complain(process, failure("config.file-unreadable", facts), exitCodes.configuration);
    return undefined;
  }
  const read = readConfig(text, file, kinds);
  if (read.ok) return read.value;
  const complaints = complaintsText(read.complaints);
  complain(process, failure("config.unreadable", { complaints }), exitCodes.configuration);
  return undefined;
}

function complain(process: NodeJS.Process, failure: Failure, exitCode: number = exitCodes.internal): void {
  const { says, next } = render(failure);
  process.stderr.write(`${says}\n${next === undefined ? "" : `  ${next}\n`}`);
  process.exitCode = exitCode;
}

async function serve(options: CommandOptions, file: string): Promise<void> {
  const { process } = options;
  const config = await load(options, file);
  if (config === undefined) return;
  const log = logOf(options, config);
  const opened = await openStateFolder({ folder: config.stateDir, make: makeFolderDurably, namedIn: file });
  if (!opened.ok) return complain(process, opened.failure, exitCodes.configuration);
  if ((await takeFolder(config.stateDir, "agent")) === undefined) {
    return complain(process, { code: "agent.folder-in-use", facts: { folder: config.stateDir } });
  }
  const stop = new AbortController();
  const onFatal = (error: unknown) => {
    log.fatal({ err: error }, "cannot go on");
    // Nothing may be done that the journal does not know; the next start begins from what it knows.
    process.exit(exitCodes.internal);
  };
  process.on("unhandledRejection", onFatal);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  const world = worldOf(options, { log, onFatal, bootId: await readBootId() });
  const agent = await composeAgent(config, world);
  if (!agent.ok) return complain(process, agent.failure);
  log.info({ node: config.node, engine: config.engine.kind, runner: agent.value.runner, version }, "started");
  const notice = noticeOf(options, world);
  await noticeReady(notice, `serving node ${config.node}`);
  await Promise.all([agent.value.run(stop.signal), noticeAlive(notice, stop.signal)]);
  log.info({}, "stopped");
  process.exit(0);
}

function logOf({ env }: CommandOptions, { logLevel: level }: AgentConfig): Log {
  const write = (line: string) => {
    try {
      writeSync(2, line);
    } catch {
      // A log that cannot be written must not stop an upgrade.
    }
  };
  return makeLog("lockkeeper-agent", { level, journald: env["JOURNAL_STREAM"] !== undefined, write });
}

function worldOf(
  { env, random, kinds, disk }: CommandOptions,
  use: Pick<World, "log" | "onFatal" | "bootId">,
): World {
  const { uid, username } = userInfo();
  const {
    PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME = "/root",
    TMPDIR,
  } = env;
  return {
    clock: systemClock,
    random,
    uptimeMs: () => uptime() * 1_000,
    version,
    makeStateId: randomUUID,
    env: {
      PATH,
      HOME,
      LANG: "C.UTF-8",
      USER: username,
      LOGNAME: username,
      ...(TMPDIR === undefined ? {} : { TMPDIR }),
    },
    asUser: asUserFrom({ uid, name: username }),
    kinds,
    disk,
    ...use,
  };
}

function noticeOf({ env }: CommandOptions, { clock }: World): Parameters<typeof noticeReady>[0] {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdogUs, PATH = "" } = env;
  return {
    socket,
    watchdogMs: watchdogUs === undefined ? undefined : Number(watchdogUs) / 1_000,
    clock,
    run: (argv, deadlineMs) =>
      lookWith(argv, {
        deadlineMs,
        clock,
        env: { PATH, ...(socket === undefined ? {} : { NOTIFY_SOCKET: socket }) },
      }),
  };
}
