/** docker-compose, by the name that the vendor's scripts call it by. */
import { dirname } from "node:path";
import { type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host, ToolRequest } from "../../verb.ts";
import { dockerFailure } from "./docker.ts";
import type { KwdbSettings } from "./settings.ts";

const lookMs = 20_000;

type As = Pick<KwdbSettings, "user">;

/** From the file's own folder, as a person would: the project is named after it. */
export function composeCommand(
  host: Host,
  { user }: As,
  file: string,
  words: readonly string[],
): ToolRequest {
  const as = user === undefined ? {} : { user };
  return { argv: ["docker-compose", "-f", host.path(file), ...words], cwd: host.path(dirname(file)), ...as };
}

/** Id of the file's one container, running or not; undefined where it has none now. */
export async function composed(host: Host, as: As, file: string): Promise<Outcome<string | undefined>> {
  const { argv, ...how } = composeCommand(host, as, file, ["ps", "--all", "--quiet"]);
  const listed = await host.look(argv, { deadlineMs: lookMs, ...how });
  if (listed.exitCode !== 0) return { ok: false, failure: dockerFailure(listed, "docker-compose ps") };
  const ids = listed.stdout.split("\n").filter((line) => /^[0-9a-f]{12,64}$/.test(line));
  return succeed(ids.length === 1 ? ids[0] : undefined);
}
