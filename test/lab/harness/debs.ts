// Debian packages as files, for a host that installs them itself: all that a bare root of a suite lacks for them, fetched once.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { takeFileLock } from "./file-lock.ts";
import { debianMirror } from "./mirror.ts";
import { debianRoot, type RootSpec } from "./root.ts";
import { mustRun } from "./run.ts";
import { labFolder, shortHash } from "./state-folders.ts";

const limitMs = 300_000;
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Folder with a `.deb` of each. */
export async function debsFor({ suite, packages = [] }: RootSpec): Promise<string> {
  const base = await debianRoot({ suite });
  const folder = join(labFolder(), "debs", `${suite}-${shortHash(JSON.stringify([...packages].sort()))}`);
  if (existsSync(folder)) return folder;
  await mustRun(["mkdir", "-p", join(labFolder(), "debs")]);
  await using lock = await takeFileLock(`${folder}.lock`, 2 * limitMs);
  if (lock === null) throw new Error(`another run has been fetching ${folder} for too long`);
  if (existsSync(folder)) return folder;
  const work = `${folder}.new`;
  const source = `deb [signed-by=${keyring}] ${await debianMirror()} ${suite} main`;
  await mustRun(["sh", "-ec", fetching, "fetch", work, base, source, ...packages], { timeoutMs: limitMs });
  await mustRun(["mv", "--no-target-directory", join(work, "var/cache/apt/archives"), folder]);
  await mustRun(["rm", "--recursive", "--force", work]);
  return folder;
}

const fetching = `
work=$1; base=$2; source=$3; shift 3
rm -rf "$work"
mkdir -p "$work/etc/apt/preferences.d" "$work/etc/apt/apt.conf.d" "$work/var/lib/apt/lists/partial" "$work/var/cache/apt/archives/partial"
echo "$source" >"$work/etc/apt/sources.list"
own="-q -o Dir=$work -o Dir::State::status=$base/var/lib/dpkg/status -o APT::Sandbox::User= -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none"
apt-get $own update
apt-get $own -y --no-install-recommends install --download-only "$@"
rm -rf "$work/var/cache/apt/archives/partial" "$work/var/cache/apt/archives/lock"`;
