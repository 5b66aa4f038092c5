/**
 * The old package put back. The vendor's script refuses an older version (and with its bypass would do it without a
 * look), its uninstall deletes the database's user, and its install wipes /etc/kaiwudb with the certificates and asks
 * questions. So this does what the script's own upgrade does with a package, in its order and with its tool: old
 * packages removed, libcommon installed, server installed, owner set. Nothing else is touched; and
 * nothing is believed but the version file and the binary.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { writeFileDurably } from "../../host/file-runner.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import { type Host, type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { digest, version } from "./args.ts";
import { packageToolOf } from "./host-facts.ts";
import type { Means } from "./installation.ts";
import { installationOn } from "./installed.ts";
import { type Args, causeIn, isDone, look, notDone, probe, whyNotNow } from "./package.ts";
import { changedFile, deployFolder } from "./packages.ts";
import { paths } from "./paths.ts";

export function oldPackageVerb(means: Means): Verb {
  return verb({
    name: "kwdb.restore-package",
    class: "irreversible",
    args: z.strictObject({ digest, version }),
    run: (context, given) => restore(context, given, means),
    probe: (context, given) => probe(context, given, means),
  });
}

/** The names that the script removes, and whose absence it ignores. */
const removed = ["kaiwudb-server", "kaiwudb-libcommon", "kwdb-server", "kwdb-libcommon"] as const;

interface Parts {
  readonly folder: string;
  readonly tool: "dpkg" | "rpm";
  /** In the order of their installation. */
  readonly files: readonly string[];
  readonly user: string;
}

async function restore(context: StepContext, given: Args, means: Means): Promise<StepResult> {
  const { host, tool: run } = context;
  const parts = await partsOf(host, given, means);
  if (!parts.ok) return failedBy(parts.failure);
  const { folder, tool, files, user } = parts.value;
  // first, not last as in the script: it refuses its own version, so what fails below could else only go back
  const versionFile = await readFile(join(folder, ".version"));
  await writeFileDurably(host.path(paths.versionFile), versionFile, 0o644);
  const [remove, install] = tool === "dpkg" ? (["-r", "-i"] as const) : (["-e", "-ivh"] as const);
  for (const name of removed) await run({ argv: [tool, remove, name], cwd: folder });
  for (const file of files) {
    const ran = await run({ argv: [tool, install, `./${file}`], cwd: folder });
    if (ran.exitCode === 0) continue;
    const facts = { ...notDone(await look(host, means), given.version), file, cause: causeIn(ran.tail) };
    return failed("kwdb.old-package-not-installed", facts, ran.tail);
  }
  // the script ignores how this ends, too: a node that cannot read its files is found when it is to be ready
  await run({ argv: ["chown", "-R", `${user}:${user}`, host.path(paths.programs)], cwd: folder });
  const found = await look(host, means);
  return isDone(found, given.version)
    ? done({ ...found })
    : failed("kwdb.old-package-not-installed", {
        ...notDone(found, given.version),
        file: files.join(", "),
        cause: "the package tool said that all went well",
      });
}

async function partsOf(host: Host, given: Args, means: Means): Promise<Outcome<Parts>> {
  const deploy = await deployFolder(host, given.digest);
  if (deploy === undefined)
    return { ok: false, failure: failure("kwdb.package-without-script", { digest: given.digest }) };
  const changed = await changedFile(host, given.digest);
  if (changed !== undefined)
    return {
      ok: false,
      failure: failure("kwdb.package-changed", { file: changed, digest: given.digest }),
    };
  const why = await whyNotNow(host, means, deploy);
  if (why !== undefined) return { ok: false, failure: why };
  const [tool, mode] = await Promise.all([packageToolOf(host), (await installationOn(host, means)).mode()]);
  if (!tool.ok) return tool;
  if (!mode.ok) return mode;
  const folder = join(deploy, "packages");
  const names = await readdir(folder);
  const files: string[] = [];
  for (const part of ["libcommon", "server"]) {
    const found = names.filter((name) => name.includes(part));
    const [file] = found;
    if (file === undefined || found.length !== 1)
      return {
        ok: false,
        failure: failure("kwdb.package-part", { part, found: found.join(", ") || "none" }),
      };
    files.push(file);
  }
  return succeed({ folder, tool: tool.value, files, user: mode.value.user });
}
