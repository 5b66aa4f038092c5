/** Patroni's own command: asked for a look, or run as a step. Its file and its path come from the agent's file alone. */
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { FailureError, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host, StepContext } from "../../../verb.ts";
import { stop } from "../desk.ts";
import type { Means, PostgresqlSettings } from "../settings.ts";
import { type OwnFile, readOwnFile, whyUnread } from "./reading.ts";

export type PatroniSettings = NonNullable<PostgresqlSettings["patroni"]>;

const lookMs = 20_000;

/** Python prints in the encoding of the locale, and a unit has none. */
const env = { LC_ALL: "C.UTF-8", PYTHONWARNINGS: "ignore" } as const;

function argvOf({ config, patronictl }: PatroniSettings, words: readonly string[]): [string, ...string[]] {
  return [patronictl, "-c", config, ...words];
}

/** Throws FailureError `postgresql.patroni-not-named`. */
export function named({ settings: { patroni } }: Means): PatroniSettings {
  return patroni ?? stop("postgresql.patroni-not-named");
}

/** Refused: `postgresql.patronictl-failed`. */
export async function lookWith(
  host: Host,
  settings: PatroniSettings,
  ...words: readonly string[]
): Promise<Outcome<string>> {
  const look = await host.look(argvOf(settings, words), { deadlineMs: lookMs, env });
  if (look.exitCode === 0) return succeed(look.stdout);
  const cause = look.spawnError ?? (look.timedOut ? "it did not answer" : look.stderr.trim().slice(-300));
  return fail("postgresql.patronictl-failed", { command: words.join(" "), cause });
}

/** As a step's tool. Throws FailureError `postgresql.patronictl-failed`. */
export async function runWith(
  context: StepContext,
  settings: PatroniSettings,
  ...words: readonly string[]
): Promise<string> {
  const ran = await context.tool({ argv: argvOf(settings, words), env });
  if (ran.exitCode !== 0)
    stop("postgresql.patronictl-failed", {
      command: words.slice(0, 2).join(" "),
      cause: ran.tail.trim().slice(-300),
    });
  return ran.tail;
}

/** Refused: `postgresql.patroni-file`. */
export async function ownFile(host: Host, { config, member }: PatroniSettings): Promise<Outcome<OwnFile>> {
  const unreadable = (cause: string) => fail<OwnFile>("postgresql.patroni-file", { path: config, cause });
  let own: OwnFile;
  try {
    own = readOwnFile(parse(await readFile(host.path(config), "utf8")));
  } catch (error) {
    return unreadable(whyUnread(error));
  }
  const name = member ?? own.name;
  if (name === undefined) return unreadable("it names no member: settings.patroni.member");
  return succeed({ ...own, name });
}

/** The dynamic configuration as it is now. Throws FailureError. */
export async function configurationNow(host: Host, settings: PatroniSettings): Promise<unknown> {
  const shown = await lookWith(host, settings, "show-config");
  if (!shown.ok) throw new FailureError(shown.failure);
  try {
    return parse(shown.value) as unknown;
  } catch (error) {
    const cause = whyUnread(error);
    throw new FailureError(failure("postgresql.patronictl-failed", { command: "show-config", cause }));
  }
}
