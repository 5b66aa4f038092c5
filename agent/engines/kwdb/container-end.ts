/** Why a container of the database does not run: by the engine's word, and by its own last one. */
import { stripVTControlCharacters } from "node:util";
import type { Facts } from "#proto/common/failure.ts";
import type { ContainerInstallation } from "./container-installation.ts";

const lastLines = "20";

/** undefined where there is none, or it runs, or it cannot be asked. */
export async function endOf({
  docker,
  inspect,
}: Pick<ContainerInstallation, "docker" | "inspect">): Promise<Facts | undefined> {
  const found = await inspect();
  if (!found.ok || found.value === undefined || found.value.State.Pid !== 0) return undefined;
  const { Id, Name, State } = found.value;
  const { Error: refused = "" } = State as { readonly Error?: unknown };
  const logs = await docker.look(["logs", "--tail", lastLines, Id]);
  const own = lastLineOf(logs.stderr) ?? lastLineOf(logs.stdout) ?? "it said nothing";
  return {
    container: Name.replace(/^\//, ""),
    status: State.Status,
    exitCode: String(State.ExitCode ?? "none"),
    cause: typeof refused === "string" && refused !== "" ? refused : own,
  };
}

function lastLineOf(text: string): string | undefined {
  const lines = stripVTControlCharacters(text).split(/[\r\n]+/);
  return lines.map((line) => line.trim()).findLast((line) => line !== "");
}
