/**
 * The replication connection between two servers: a password and its verifier on the side that connects, a role and one line
 * of pg_hba.conf on the side that is connected to. Each with its undo.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { makeFolderDurably, writeFileDurably } from "../../host/file-runner.ts";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { databases, literal, quoted } from "../databases.ts";
import { rollout } from "../rollout-arg.ts";
import { ask, direction, inEach, must, ownerOf, probeOf, resultOf, stop } from "./desk.ts";
import { addHbaLine, hasHbaLine, isHbaLineInForce, removeHbaLine } from "./hba.ts";
import { type Direction, roleName } from "./names.ts";
import { keepPassword, passfilesOf, readPassword, removePassword, scramVerifier } from "./passfile.ts";
import { serverAccount } from "./server-files.ts";
import type { Means } from "./settings.ts";
import { versionOf } from "./sql.ts";

const args = z.strictObject({ direction, of: rollout.optional() });
const admitArgs = z.strictObject({
  direction,
  databases,
  /** Where it connects from: an address or a host name. */
  from: z.string().regex(/^[A-Za-z0-9._:-]{1,253}$/),
  /** Where the mover asks for more than to read: through pglogical's own functions, past the fence. */
  as: z.literal("superuser").optional(),
  of: rollout.optional(),
});

type Args = { readonly direction: Direction; readonly of?: string | undefined };

export function peerVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.make-password",
      class: "reversible",
      args,
      run: (context, given) => resultOf(() => makePassword(context, means, given)),
      probe: (context, given) => probeOf(() => unmade(context, means, given)),
    }),
    verb({
      name: "postgresql.drop-password",
      class: "reversible",
      args,
      run: (context, given) =>
        resultOf(async () => {
          await removePassword(context.host, means, roleName(ownerOf(context, given), given.direction));
          return done();
        }),
      probe: (context, given) =>
        probeOf(async () => {
          const role = roleName(ownerOf(context, given), given.direction);
          return (await passfilesOf(context.host, means)).filter((each) => each === role);
        }),
    }),
    verb({
      name: "postgresql.admit-peer",
      class: "reversible",
      args: admitArgs,
      run: (context, given) => resultOf(() => admit(context, means, given)),
      probe: (context, given) => probeOf(() => unadmitted(context, means, given)),
    }),
    verb({
      name: "postgresql.dismiss-peer",
      class: "reversible",
      args: z.strictObject({ direction, databases, of: rollout.optional() }),
      run: (context, given) => resultOf(() => dismiss(context, means, given)),
      probe: (context, given) => probeOf(() => undismissed(context, means, given)),
    }),
  ];
}

/**
 * How values are spelled for the other side. Subscribers before 15 do not ask for it themselves: a server before 12 rounds floats to 15
 * digits then, and one whose databases have a DateStyle of their own sends days and months in its order.
 */
const spelling = { extra_float_digits: "3", datestyle: "ISO, MDY", intervalstyle: "postgres" } as const;

function parcelOf({ direction: way }: Args): string {
  return `verifier-${way}`;
}

async function makePassword(context: StepContext, means: Means, given: Args): Promise<StepResult> {
  const role = roleName(ownerOf(context, given), given.direction);
  const owner = await serverAccount(context, means);
  const password = await keepPassword(context.host, means, { role, owner });
  const folder = join(context.host.stateDir, "verifiers");
  await makeFolderDurably(folder);
  const file = join(folder, role);
  await writeFileDurably(file, scramVerifier(password));
  must(await context.parcels.send(parcelOf(given), file));
  return done({ role });
}

async function unmade(context: StepContext, means: Means, given: Args): Promise<readonly string[]> {
  const role = roleName(ownerOf(context, given), given.direction);
  const sent = must(await context.parcels.find(parcelOf(given)));
  return sent !== undefined && (await readPassword(context.host, means, role)) !== undefined ? [] : [role];
}

async function admit(
  context: StepContext,
  means: Means,
  given: z.infer<typeof admitArgs>,
): Promise<StepResult> {
  const role = roleName(ownerOf(context, given), given.direction);
  const sent = must(await context.parcels.find(parcelOf(given)));
  if (sent === undefined) return stop("postgresql.parcel-missing", { what: parcelOf(given) });
  const verifier = await readFile(must(await context.parcels.fetch(sent.digest)), "utf8");
  await ask(
    context,
    means,
    async (sql) => {
      const isNew = (await versionOf(sql)) >= 140_000 && given.as === undefined;
      // below 14 nothing but a superuser may read every table, and below 13 none but one passes our own fence
      const words = isNew ? "LOGIN REPLICATION BYPASSRLS" : "LOGIN REPLICATION SUPERUSER";
      const there = await sql.rows("SELECT FROM pg_roles WHERE rolname = $1", [role]);
      const verbs = there.length === 0 ? "CREATE" : "ALTER";
      await sql.run(`${verbs} ROLE ${quoted(role)} ${words} PASSWORD ${literal(verifier)}`);
      if (isNew) await sql.run(`GRANT pg_read_all_data TO ${quoted(role)}`);
      for (const [name, value] of Object.entries(spelling))
        await sql.run(`ALTER ROLE ${quoted(role)} SET ${name} = ${literal(value)}`);
    },
    { hasSecrets: true },
  );
  await addHbaLine(context, means, { role, from: given.from });
  return done({ role, from: given.from });
}

async function unadmitted(
  context: StepContext,
  means: Means,
  given: z.infer<typeof admitArgs>,
): Promise<readonly string[]> {
  const role = roleName(ownerOf(context, given), given.direction);
  const there = await ask(context, means, (sql) =>
    sql.rows("SELECT FROM pg_roles WHERE rolname = $1", [role]),
  );
  const isAdmitted = there.length > 0 && (await isHbaLineInForce(context, means, { role, from: given.from }));
  return isAdmitted ? [] : [role];
}

async function dismiss(
  context: StepContext,
  means: Means,
  given: Args & { readonly databases: readonly string[] },
): Promise<StepResult> {
  const role = roleName(ownerOf(context, given), given.direction);
  await removeHbaLine(context, means, role);
  const there = await ask(context, means, (sql) =>
    sql.rows("SELECT FROM pg_roles WHERE rolname = $1", [role]),
  );
  if (there.length === 0) return done({ found: "no such role" });
  await ask(context, means, async (sql) => {
    await sql.run(`ALTER ROLE ${quoted(role)} NOLOGIN`);
    await sql.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", [role]);
  });
  await inEach(context, means, given.databases, (sql) => sql.run(`DROP OWNED BY ${quoted(role)}`));
  await ask(context, means, (sql) => sql.run(`DROP ROLE ${quoted(role)}`));
  return done({ role });
}

async function undismissed(context: StepContext, means: Means, given: Args): Promise<readonly string[]> {
  const role = roleName(ownerOf(context, given), given.direction);
  const there = await ask(context, means, (sql) =>
    sql.rows("SELECT rolname FROM pg_roles WHERE rolname = $1", [role]),
  );
  return there.length > 0 || (await hasHbaLine(context, means, role)) ? [role] : [];
}
