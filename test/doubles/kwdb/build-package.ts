/**
 * Builds an installation package of the stand-in in the vendor's layout: deploy.sh, deploy.cfg, utils/,
 * packages/ with real .debs and `.version`; and a .tar.gz of it with the top folder `kwdb_install/`.
 * The same request gives the same bytes, so that the digest can be pinned.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { buildImage, type ImageRequest } from "./build-image.ts";

const run = promisify(execFile);
/** Every file's time: packages of one version are equal whenever they are built. */
const epochSeconds = 1_760_000_000;

export interface PackageRequest {
  /** A folder made by `buildAssets`. */
  readonly assets: string;
  /** Line 1 of `.version`, and the build tag of its kwbase. */
  readonly version: string;
  /** Line 2 of `.version`: alpha1, hotfix2 … */
  readonly extended?: string;
  readonly kind?: "bare" | "container";
  /** A container package with a real image; without it `KaiwuDB.tar` is a file that no engine loads. */
  readonly image?: Pick<ImageRequest, "tag" | "tickScale" | "shared">;
  /** Receives `kwdb_install/` and `KWDB-<version>.tar.gz`. */
  readonly out: string;
  /** A folder with the vendor's own deploy.sh and utils/, used unchanged. */
  readonly scripts?: string;
}

export interface BuiltPackage {
  readonly folder: string;
  readonly tarball: string;
  readonly sha256: string;
}

/** `kwbase` of a version: the bundle with its marks filled in. */
export async function kwbaseOf(assets: string, version: string): Promise<string> {
  const bundle = await readFile(path.join(assets, "kwbase.js"), "utf8");
  const sha = createHash("sha1").update(version).digest("hex");
  return bundle
    .replaceAll("@KWBASE_BUILD_TAG@", version)
    .replaceAll("@KWBASE_BUILD_TIME@", "2025/10/09 08:53:20")
    .replaceAll("@KWBASE_BUILD_SHA@", sha);
}

interface Deb {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly depends?: string;
  /** Paths under / and their content. */
  readonly files: Readonly<Record<string, { readonly content: string; readonly mode: number }>>;
  /** Links made after unpacking: path and relative target. */
  readonly links: Readonly<Record<string, string>>;
}

/** Maintainer scripts honour DPKG_ROOT, and the faults of the host; no package starts or stops the service. */
function scriptsOf(deb: Deb): Readonly<Record<string, string>> {
  const part = deb.name.replace("kaiwudb-", "");
  const links = Object.entries(deb.links);
  const pre = `#!/bin/sh
faults="$DPKG_ROOT/etc/kwdb-double/faults"
knob() { sed -n "s/^$1=//p" "$faults" 2>/dev/null | head -n 1; }
case "$1" in install|upgrade) ;; *) exit 0 ;; esac
ms=$(knob install_ms); [ -z "$ms" ] || sleep "$(awk "BEGIN{print $ms/1000}")"
fails=$(knob install_fails)
if [ "\${fails% once}" = ${part} ]; then
  case "$fails" in *" once") sed -i '/^install_fails=/d' "$faults" ;; esac
  echo "cannot copy extracted data: failed to write (No space left on device)" >&2; exit 1
fi
`;
  const post = `#!/bin/sh
[ "$1" = configure ] || exit 0
${links.map(([link, to]) => `mkdir -p "$DPKG_ROOT${path.dirname(link)}" && ln -sf ${to} "$DPKG_ROOT${link}"`).join("\n")}
if [ -z "$DPKG_ROOT" ]; then
  echo /usr/local/kaiwudb/lib > /etc/ld.so.conf.d/kaiwudb.conf
  ldconfig 2>/dev/null || true
fi
`;
  return {
    preinst: pre,
    postinst: post,
    postrm: `#!/bin/sh\nrm -f ${links.map(([link]) => `"$DPKG_ROOT${link}"`).join(" ")}\n`,
  };
}

async function buildDeb(deb: Deb, into: string): Promise<void> {
  const root = await mkdtemp(path.join(os.tmpdir(), "kwdb-deb-"));
  try {
    for (const [name, { content, mode }] of Object.entries(deb.files)) {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true });
      await writeFile(path.join(root, name), content);
      await chmod(path.join(root, name), mode);
    }
    await mkdir(path.join(root, "DEBIAN"));
    const control = [
      `Package: ${deb.name}`,
      `Version: ${deb.version}`,
      `Architecture: ${deb.architecture}`,
      "Maintainer: stand-in <stand-in@example.org>",
      ...(deb.depends === undefined ? [] : [`Depends: ${deb.depends}`]),
      `Description: stand-in for ${deb.name}`,
    ];
    await writeFile(path.join(root, "DEBIAN/control"), `${control.join("\n")}\n`);
    for (const [name, text] of Object.entries(scriptsOf(deb))) {
      await writeFile(path.join(root, "DEBIAN", name), text);
      await chmod(path.join(root, "DEBIAN", name), 0o755);
    }
    await run("find", [root, "-type", "d", "-exec", "chmod", "755", "{}", "+"]);
    const file = path.join(into, `${deb.name}-${deb.version}-linux-${deb.architecture}.deb`);
    await run("dpkg-deb", ["--root-owner-group", "-Zgzip", "-z1", "-b", root, file], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(epochSeconds) },
    });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function debs(request: PackageRequest, into: string): Promise<void> {
  const { version } = request;
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const kwbase = await kwbaseOf(request.assets, version);
  const home = "usr/local/kaiwudb";
  await buildDeb(
    {
      name: "kaiwudb-libcommon",
      version,
      architecture,
      files: { [`${home}/lib/libcommon.so`]: { content: `stand-in libcommon ${version}\n`, mode: 0o644 } },
      links: { "/usr/lib/libcommon.so": "../local/kaiwudb/lib/libcommon.so" },
    },
    into,
  );
  await buildDeb(
    {
      name: "kaiwudb-server",
      version,
      architecture,
      depends: "kaiwudb-libcommon",
      files: {
        [`${home}/bin/kwbase`]: { content: kwbase, mode: 0o755 },
        [`${home}/lib/libkwdbts2.so`]: { content: `stand-in libkwdbts2 ${version}\n`, mode: 0o644 },
      },
      links: {
        "/usr/bin/kwbase": "../local/kaiwudb/bin/kwbase",
        "/usr/lib/libkwdbts2.so": "../local/kaiwudb/lib/libkwdbts2.so",
      },
    },
    into,
  );
}

export async function buildPackage(request: PackageRequest): Promise<BuiltPackage> {
  const folder = path.join(request.out, "kwdb_install");
  const packages = path.join(folder, "packages");
  await rm(folder, { recursive: true, force: true });
  await mkdir(request.out, { recursive: true });
  await cp(path.join(request.assets, "package"), folder, { recursive: true });
  for (const own of request.scripts === undefined ? [] : ["deploy.sh", "utils"]) {
    await rm(path.join(folder, own), { recursive: true, force: true });
    await cp(path.join(request.scripts ?? "", own), path.join(folder, own), { recursive: true });
  }
  await mkdir(packages);
  const lines = [request.version, ...(request.extended === undefined ? [] : [request.extended])];
  await writeFile(path.join(packages, ".version"), `${lines.join("\n")}\n`);
  if (request.image !== undefined) {
    const kwbase = await kwbaseOf(request.assets, request.version);
    const { version, image } = request;
    await buildImage({ ...image, version, kwbase, file: path.join(packages, "KaiwuDB.tar") });
  } else if (request.kind === "container")
    await writeFile(path.join(packages, "KaiwuDB.tar"), `stand-in image ${request.version}\n`);
  else await debs(request, packages);
  const tarball = path.join(request.out, `KWDB-${lines.join("-")}.tar.gz`);
  const archive = `tar --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime=@${epochSeconds} -C "$1" -cf - kwdb_install | gzip -n -1 > "$2"`;
  await run("bash", ["-o", "pipefail", "-c", archive, "pack", request.out, tarball]);
  return {
    folder,
    tarball,
    sha256: createHash("sha256")
      .update(await readFile(tarball))
      .digest("hex"),
  };
}
