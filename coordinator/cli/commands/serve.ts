import { access, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Command } from "@commander-js/extra-typings";
import { execa } from "execa";
import { troubleOf } from "#proto/catalogue/trouble.ts";
import type { Clock, Random } from "#proto/common/clock.ts";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { Log } from "#proto/common/log.ts";
import { complaintsText } from "#proto/common/settings-file.ts";
import { type CoordinatorConfig, readCoordinatorConfig } from "../../config.ts";
import { serve } from "../../serve.ts";
import { examplesText, explainFailure, failureOf } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import type { Shell } from "../run.ts";

/** What serving needs of its process. */
export interface ServeProcess {
  readonly clock: Clock;
  readonly random: Random;
  readonly token: (characters: number) => string;
  readonly hostName: string;
  readonly pid: number;
  readonly makeLog: (level: string) => Log;
  /** Aborts at SIGTERM or the first Ctrl-C. */
  readonly terminated: AbortSignal;
}

const defaultFile = "/etc/lockkeeper/coordinator.yaml";
const fetchLimitMs = 600_000;

export function serveCommand(shell: Shell, own: ServeProcess): Command {
  const command = new Command("serve")
    .description("Run the coordinator until it is told to end")
    .addHelpText("after", examplesText(["serve", "serve --config /etc/lockkeeper/coordinator.yaml"]))
    .option("--config <file>", "the coordinator's file; everything in it has a default", defaultFile)
    .action(async ({ config: file }) => {
      try {
        const config = await readConfig(file, (text) => shell.terminal.note(text));
        const { terminated, makeLog, ...means } = own;
        await using coordinator = await serve({
          ...means,
          config,
          configFile: file,
          log: makeLog(config.logLevel),
          natsBinary,
        });
        shell.terminal.note(`lockkeeper ${shell.terminal.version} serves on ${coordinator.address}`);
        await new Promise<void>((resolve) => {
          if (terminated.aborted) resolve();
          terminated.addEventListener("abort", () => resolve(), { once: true });
        });
        shell.exit(exitCodes.done);
      } catch (error) {
        shell.exit(explainFailure(shell.terminal, "table", failureOf(error)));
      }
    });
  return command as unknown as Command;
}

/** A missing default file is an empty one; a file that was named must be there. */
async function readConfig(file: string, note: (text: string) => void): Promise<CoordinatorConfig> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" && file === defaultFile) {
      note(`no ${defaultFile}: every setting has its default`);
      return "";
    }
    const example = "deploy/coordinator.example.yaml";
    throw new FailureError(failure("config.file-unreadable", { file, cause: troubleOf(error), example }));
  });
  const read = readCoordinatorConfig(text, file);
  if (!read.ok)
    throw new FailureError(failure("config.unreadable", { complaints: complaintsText(read.complaints) }));
  return read.value;
}

/** The fetcher stands beside the bundle, or in the sources. */
async function natsBinary(): Promise<string> {
  const places = ["./nats-fetch.sh", "../../../deploy/nats/fetch.sh"].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  );
  for (const place of places) {
    const there = await access(place).then(
      () => true,
      () => false,
    );
    if (!there) continue;
    const { stdout, stderr, failed, shortMessage } = await execa("bash", [place], {
      timeout: fetchLimitMs,
      reject: false,
    });
    if (!failed) return stdout.trim();
    const cause = stderr.trim() || (shortMessage ?? "");
    throw new FailureError(failure("nats.not-started", { binary: "nats-server", cause }));
  }
  throw new FailureError(
    failure("nats.not-started", {
      binary: "nats-server",
      cause: "no nats-server on PATH and nothing to fetch it with",
    }),
  );
}
