/**
 * From this host, and as the replication role, into the other side: what the server's own connection will do. We come in by what
 * root can read; that the server's account can read it too is asked of the server.
 */
import pg from "pg";
import { z } from "zod";
import { succeed } from "#proto/common/failure.ts";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { databases } from "../databases.ts";
import { direction, must, resultOf, stop } from "./desk.ts";
import { sslTries } from "./encryption.ts";
import { roleName } from "./names.ts";
import { passfileOf, readPassword } from "./passfile.ts";
import { readsFile } from "./server-files.ts";
import type { Means } from "./settings.ts";
import { applicationName, startupOptions, use } from "./sql.ts";

const reachArgs = z.strictObject({ direction, databases, at: z.string().regex(/^[^\s']{1,255}:\d{1,5}$/) });

export function reachingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.prove-reach",
      class: "observe",
      args: reachArgs,
      run: (context, given) => resultOf(() => proveReach(context, means, given)),
    }),
  ];
}

async function proveReach(
  context: StepContext,
  means: Means,
  { databases: names, direction: way, at }: z.infer<typeof reachArgs>,
): Promise<StepResult> {
  const role = roleName(context.rollout, way);
  const password = await readPassword(context.host, means, role);
  if (password === undefined) return stop("postgresql.password-missing", { role });
  const { sslRootCert } = means.settings;
  for (const path of [passfileOf(means, role), ...(sslRootCert === undefined ? [] : [sslRootCert])])
    must(await readsFile(context, means, path));
  const port = Number(at.slice(at.lastIndexOf(":") + 1));
  const host = at.slice(0, at.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  const login = { host, port, user: role, password };
  let by = "";
  for (const database of names) by = await enter(context, means, { ...login, database });
  return done({
    at,
    databases: String(names.length),
    [`told.replication to ${at}`]: by === "" ? "not encrypted" : `encrypted by ${by}`,
  });
}

type Login = Pick<pg.ClientConfig, "port" | "user" | "password"> & {
  readonly host: string;
  readonly database: string;
};

/** By which protocol it is encrypted; empty where it is not. */
async function enter(context: StepContext, { settings }: Means, login: Login): Promise<string> {
  const { database, host, port } = login;
  const tries = must(await sslTries(context.host, settings, host));
  for (const [index, ssl] of tries.entries()) {
    const client = new pg.Client({
      ...login,
      ssl,
      application_name: applicationName,
      connectionTimeoutMillis: 10_000,
      options: startupOptions({ isSuperuser: false }),
      // as a sender of changes, which the fence of the other side lets in; its types do not know the word
      ...({ replication: "database" } as object),
    });
    const at = `${host}:${port}`;
    const found = await use(client, { database, signal: context.signal, at }, async (sql) => {
      await sql.run("IDENTIFY_SYSTEM");
      const [own] = await sql.rows(
        "SELECT coalesce(version, '') AS by FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
      );
      return succeed(own?.["by"] ?? "");
    });
    if (found.ok) return found.value;
    const { code, facts } = found.failure;
    if (index === tries.length - 1 || !/does not support SSL/.test(facts["cause"] ?? ""))
      stop(/^postgresql\.(not-reached|no-server)$/.test(code) ? "postgresql.peer-not-reached" : code, {
        ...facts,
        role: login.user ?? "",
        sslMode: settings.sslMode,
      });
  }
  return stop("postgresql.peer-not-reached", { database, at: host });
}
