/**
 * `--upgrade-complete` among the words of the next start, put there and taken out again: in kaiwudb_env where the
 * vendor's unit reads it, else in the command of the compose file that its unit is around.
 */
import { stat } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { writeFileDurably } from "../../host/file-runner.ts";
import { done, failedBy } from "../../outcome.ts";
import { type Host, type Probe, type StepResult, type Verb, verb } from "../../verb.ts";
import { nothing } from "./args.ts";
import { causeOf, readText } from "./files.ts";
import type { Means } from "./installation.ts";
import { installationOn } from "./installed.ts";
import { paths } from "./paths.ts";

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

/** After the one `kwbase start` of the file; undefined where there is not just one, or more than that would change. */
export function composeWithFlag(text: string): string | undefined {
  if (withoutFlag(text) !== text) return text;
  const start = /\bkwbase[ \t]+start(?:-single-(?:replica|node))?(?=\s)/g;
  if (text.match(start)?.length !== 1) return undefined;
  const wanted = text.replace(start, `$& ${flag}`);
  return isSameBut(text, wanted) ? wanted : undefined;
}

/** undefined where it is no word among others, as in a list of its own. */
export function composeWithoutFlag(text: string): string | undefined {
  const wanted = withoutFlag(text);
  return isSameBut(wanted, text) ? wanted : undefined;
}

/** What compose reads of both differs in the flag alone. */
function isSameBut(without: string, withIt: string): boolean {
  try {
    return isDeepStrictEqual(parse(without), stripped(parse(withIt)));
  } catch {
    return false;
  }
}

function stripped(value: unknown): unknown {
  if (typeof value === "string") return withoutFlag(value);
  if (Array.isArray(value)) return value.map(stripped);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, stripped(each)]));
}

interface Edit {
  readonly file: string;
  /** undefined: it cannot be made. */
  readonly wanted: string | undefined;
  readonly text: string;
}

export function flagVerbs(means: Means): readonly Verb[] {
  return [
    flagVerb("kwdb.add-upgrade-flag", means, "add"),
    flagVerb("kwdb.clear-upgrade-flag", means, "clear"),
  ];
}

type What = "add" | "clear";

function flagVerb(name: `kwdb.${string}`, means: Means, what: What): Verb {
  return verb({
    name,
    class: "reversible",
    args: nothing,
    async run({ host }): Promise<StepResult> {
      const edits = await editsOn(host, means, what);
      if (!edits.ok) return failedBy(edits.failure);
      for (const { file, wanted = "", text } of edits.value) {
        const written = wanted === text ? succeed(undefined) : await rewrite(host, file, wanted);
        if (!written.ok) return failedBy(written.failure);
      }
      return done({ files: edits.value.map(({ file }) => file).join(", ") });
    },
    async probe({ host }): Promise<Probe> {
      const edits = await editsOn(host, means, what);
      if (!edits.ok) return { state: "unknown", failure: edits.failure };
      const isDone = edits.value.every(({ wanted, text }) => wanted === text);
      return isDone ? { state: "done", outputs: {} } : { state: "not-done" };
    },
  });
}

/** The environment of a container is read by nobody who could be relied on: there the command counts. */
async function editsOn(host: Host, means: Means, what: What): Promise<Outcome<readonly Edit[]>> {
  const { form } = await installationOn(host, means);
  const inCompose = form === "compose-service";
  const all = inCompose ? [paths.composeFile, paths.environment] : [paths.environment];
  const edits: Edit[] = [];
  for (const file of what === "add" ? all.slice(0, 1) : all) {
    const text = await readText(host, file);
    if (!text.ok && file !== all[0] && text.failure.facts["errno"] === "ENOENT") continue;
    if (!text.ok) return text;
    const change = changes[file === paths.composeFile ? "compose" : "environment"][what];
    const edit = { file, text: text.value, wanted: change(text.value) };
    if (edit.wanted === undefined) return { ok: false, failure: noPlace(file) };
    edits.push(edit);
  }
  return succeed(edits);
}

const changes = {
  environment: { add: withFlag, clear: withoutFlag },
  compose: { add: composeWithFlag, clear: composeWithoutFlag },
} as const;

function noPlace(file: string): Failure {
  return file === paths.composeFile
    ? failure("kwdb.compose-without-start", { file })
    : failure("kwdb.environment-without-arguments", { file });
}

async function rewrite(host: Host, file: string, text: string): Promise<Outcome<void>> {
  const path = host.path(file);
  try {
    const { mode, uid, gid } = await stat(path);
    await writeFileDurably(path, text, mode & 0o7777, { uid, gid });
    return succeed(undefined);
  } catch (error) {
    return fail("kwdb.environment-not-written", { file, cause: causeOf(error) });
  }
}
