/** The options that name a target version, shared by check and plan. */
import { Option } from "@commander-js/extra-typings";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { Target } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import { digestOfArtefact } from "../artefact.ts";
import { type CommandOptions, command, type Session } from "../command.ts";

export function targetCommand(name: string, summary: string, options: CommandOptions) {
  return command(name, summary, options)
    .option("--to <version>", "target version")
    .option(
      "--artefact <file>",
      "the package: a local file, given to the coordinator where it does not have it, or the name of one it has",
    )
    .addOption(new Option("--artifact <file>", "the same").hideHelp())
    .option(
      "--sha256 <digest>",
      "the package's digest; `lockkeeper artefact list` shows those that were pushed",
    )
    .addOption(
      new Option(
        "--strategy <strategy>",
        "default: what the topology allows with the least downtime",
      ).choices(["rolling", "offline", "move"]),
    )
    .addOption(
      new Option("--method <method>", "default: how it is deployed").choices([
        "script",
        "container",
        "compiled",
        "export-import",
        "logical-replication",
        "make-server",
        "pg-upgrade",
        "pglogical",
      ]),
    )
    .option("--into <cluster>", "the new cluster, for methods that move data");
}

export interface TargetOptions {
  readonly to?: string | undefined;
  readonly artefact?: string | undefined;
  readonly artifact?: string | undefined;
  readonly sha256?: string | undefined;
  readonly strategy?: string | undefined;
  readonly method?: string | undefined;
  readonly into?: string | undefined;
}

export async function toTarget(session: Session, cluster: string, options: TargetOptions): Promise<Target> {
  if (options.to === undefined) throw new FailureError(failure("cli.target-missing", { cluster }));
  if (options.into === cluster) throw new FailureError(failure("cli.into-itself", { cluster }));
  return {
    cluster,
    version: options.to,
    artefact: options.artefact ?? options.artifact ?? "",
    digest: await packageOf(session, options),
    strategy: options.strategy ?? "",
    method: options.method ?? "",
    intoCluster: options.into ?? "",
  };
}

/** Digest of the package that is meant, empty where none is; a local file is given to the coordinator first. */
export async function packageOf(session: Session, options: TargetOptions): Promise<string> {
  const artefact = options.artefact ?? options.artifact;
  return artefact === undefined
    ? (options.sha256 ?? "")
    : digestOfArtefact(session, artefact, options.sha256);
}
