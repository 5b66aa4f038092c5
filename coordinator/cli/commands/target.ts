/** The options that name a target version, shared by check and plan. */
import type { Target } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import { command } from "../command.ts";

export function targetCommand(
  name: string,
  summary: string,
  options: { readonly outputFile?: boolean } = {},
) {
  return command(name, summary, options)
    .option("--to <version>", "target version")
    .option("--artefact <file>", "name of a pushed package, or a path or URL that the agents can reach")
    .option(
      "--sha256 <digest>",
      "the package's digest; `lockkeeper artefact list` shows those that were pushed",
    )
    .option(
      "--strategy <strategy>",
      "rolling or offline; default: what the topology allows with the least downtime",
    )
    .option("--method <method>", "script, container, compiled, export-import; default: how it is deployed")
    .option("--into <cluster>", "the new cluster, for methods that move data");
}

export interface TargetOptions {
  readonly to?: string | undefined;
  readonly artefact?: string | undefined;
  readonly sha256?: string | undefined;
  readonly strategy?: string | undefined;
  readonly method?: string | undefined;
  readonly into?: string | undefined;
}

export function toTarget(cluster: string, options: TargetOptions): Target {
  return {
    cluster,
    version: options.to ?? "",
    artefact: options.artefact ?? "",
    digest: options.sha256 ?? "",
    strategy: options.strategy ?? "",
    method: options.method ?? "",
    intoCluster: options.into ?? "",
  };
}
