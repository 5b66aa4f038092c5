/**
 * While packages are changed nothing of theirs is started, and the package of a server makes no cluster of its own: by policy-rc.d and
 * by a file beside createcluster.conf, which are Debian's ways for both. Neither stands in anybody else's way, should it stay behind.
 */
import { access, readFile, rename, rm, rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolders } from "#proto/common/make-folders.ts";
import { syncFolder, writeFileDurably } from "../../../host/file-runner.ts";
import { changing } from "../../../host/packages/words.ts";
import type { Host } from "../../../verb.ts";

const policy = "/usr/sbin/policy-rc.d";
const kept = `${policy}.before-lockkeeper`;
const ours = "# of lockkeeper: for its own change of packages alone";

/** Another's installation gets the answer that it would have got. */
const policyText = `#!/bin/sh
${ours}
[ -z "$${changing}" ] || exit 101
[ ! -x ${kept} ] || exec ${kept} "$@"
exit 0
`;

const folder = "/etc/postgresql-common";
const besideFolder = `${folder}/createcluster.d`;
const beside = `${besideFolder}/lockkeeper.conf`;
const cameWith = "# this folder came with it: ";

export async function beQuiet(host: Host): Promise<void> {
  if (!(await isOurs(host))) {
    if (await isThere(host.path(policy))) await rename(host.path(policy), host.path(kept));
    await makeFolders(dirname(host.path(policy)), 0o755);
    await writeFileDurably(host.path(policy), policyText, 0o755);
  }
  if (await isThere(host.path(beside))) return;
  const made: string[] = [];
  for (const each of [besideFolder, folder]) if (!(await isThere(host.path(each)))) made.push(each);
  await makeFolders(host.path(besideFolder), 0o755);
  const text = [ours, ...made.map((each) => `${cameWith}${each}`), "create_main_cluster = false"];
  await writeFileDurably(host.path(beside), `${text.join("\n")}\n`, 0o644);
}

/** As it was before; more than once is no harm. */
export async function speakAgain(host: Host): Promise<void> {
  if (await isOurs(host)) await rm(host.path(policy));
  if (await isThere(host.path(kept))) await rename(host.path(kept), host.path(policy));
  await syncFolder(dirname(host.path(policy))).catch(() => undefined);
  const text = await readFile(host.path(beside), "utf8").catch(() => "");
  await rm(host.path(beside), { force: true });
  const made = text.split("\n").filter((line) => line.startsWith(cameWith));
  // a package may have put something into them meanwhile; or have gone, and left it to us to take the last of them away
  for (const each of [...made.map((line) => line.slice(cameWith.length)), folder])
    await rmdir(host.path(each)).catch(() => undefined);
}

export async function isQuiet(host: Host): Promise<boolean> {
  const found = await Promise.all([isOurs(host), isThere(host.path(kept)), isThere(host.path(beside))]);
  return found.some(Boolean);
}

async function isOurs(host: Host): Promise<boolean> {
  const text = await readFile(host.path(policy), "utf8").catch(() => "");
  return text.includes(ours);
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
