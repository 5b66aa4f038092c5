/**
 * What an online upgrade done by hand leaves behind, mended: `--upgrade-complete` in kaiwudb_env, the mark of an upgrade
 * that a node takes off only when it is started once with that flag, and `server.time_until_store_dead` at three hours.
 */
import { chmod, chown, stat } from "node:fs/promises";
import { z } from "zod";
import { fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { writeFileDurably } from "../../host/file-runner.ts";
import { type Host, type Probe, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { nothing } from "./args.ts";
import { causeOf, readText } from "./files.ts";
import type { Means } from "./installation.ts";
import { done, failed, failedBy } from "./outcome.ts";
import { paths } from "./paths.ts";
import { duration, isSame, setTo, whenAnswered, whyNotShown } from "./store-dead.ts";

const settingArgs = z.strictObject({
  to: duration,
  /** What it may be before: anything else was set by somebody meanwhile, and is theirs. */
  was: z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(duration).min(1)),
});
type SettingArgs = z.infer<typeof settingArgs>;

export function mendingVerbs(means: Means): readonly Verb[] {
  return [
    flagVerb("kwdb.add-upgrade-flag", withFlag),
    flagVerb("kwdb.clear-upgrade-flag", withoutFlag),
    verb({
      name: "kwdb.set-store-dead",
      class: "reversible",
      args: settingArgs,
      run: (context, args) => setStoreDead(context, args, means),
      async probe(context, { to }): Promise<Probe> {
        const now = await whenAnswered(context, means);
        if (!now.ok) return { state: "unknown", failure: now.failure };
        return isSame(now.value.shown, to) ? { state: "done", outputs: {} } : { state: "not-done" };
      },
    }),
  ];
}

const flag = "--upgrade-complete";

/** As the vendor's script puts it there; undefined where there is no such line. */
export function withFlag(text: string): string | undefined {
  if (withoutFlag(text) !== text) return text;
  const line = /^KAIWUDB_START_ARG="/m;
  return line.test(text) ? text.replace(line, `$&${flag} `) : undefined;
}

/** Every other argument stays as it is, to the letter. */
export function withoutFlag(text: string): string {
  return text.replace(/(?<=^|[\s"'=])--upgrade-complete(?:=true)?(?:[ \t]|(?=["'\s]|$))/gm, "");
}

function flagVerb(name: `kwdb.${string}`, change: (text: string) => string | undefined): Verb {
  return verb({
    name,
    class: "reversible",
    args: nothing,
    async run({ host }): Promise<StepResult> {
      const text = await readText(host, paths.environment);
      if (!text.ok) return failedBy(text.failure);
      const wanted = change(text.value);
      if (wanted === undefined)
        return failed("kwdb.environment-without-arguments", { file: paths.environment });
      const written = await rewrite(host, wanted);
      return written.ok ? done({ arguments: wanted.trim() }) : failedBy(written.failure);
    },
    async probe({ host }): Promise<Probe> {
      const text = await readText(host, paths.environment);
      if (!text.ok) return { state: "unknown", failure: text.failure };
      return change(text.value) === text.value ? { state: "done", outputs: {} } : { state: "not-done" };
    },
  });
}

async function rewrite(host: Host, text: string): Promise<Outcome<void>> {
  const path = host.path(paths.environment);
  try {
    const { mode, uid, gid } = await stat(path);
    await writeFileDurably(path, text, mode & 0o7777);
    await chown(path, uid, gid);
    await chmod(path, mode & 0o7777);
    return succeed(undefined);
  } catch (error) {
    return fail("kwdb.environment-not-written", { file: paths.environment, cause: causeOf(error) });
  }
}

async function setStoreDead(
  context: StepContext,
  { to, was }: SettingArgs,
  means: Means,
): Promise<StepResult> {
  const now = await whenAnswered(context, means);
  if (!now.ok) return failedBy(now.failure);
  const { shown, client } = now.value;
  if (isSame(shown, to)) return done({ found: `it is ${shown}` });
  if (!was.some((each) => isSame(shown, each)))
    return failedBy(failure("kwdb.store-dead-of-somebody", { found: shown, wanted: was.join(" or ") }));
  const ran = await context.tool(client.command(["sql", "-e", setTo(to)]));
  const why = await whyNotShown(context, client, to);
  return why === undefined ? done({ was: shown, to }) : failedBy(why, ran.tail);
}
