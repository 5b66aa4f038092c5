/** The two programs as single files that need nothing but Node, beside them what they read. */
import { chmod, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildAssets } from "../test/doubles/kwdb/build-assets.ts";

const root = new URL("..", import.meta.url);
const path = (relative: string) => fileURLToPath(new URL(relative, root));
const { version } = JSON.parse(await readFile(path("package.json"), "utf8")) as { version: string };

/** CommonJS dependencies inside an ES module bundle still call require. */
const banner = `#!/usr/bin/env node
import { createRequire as lockkeeperCreateRequire } from "node:module";
const require = lockkeeperCreateRequire(import.meta.url);`;

async function bundle(entry: string, out: string): Promise<void> {
  await build({
    entryPoints: [path(entry)],
    outfile: out,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20.19",
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    sourcemap: "linked",
    sourcesContent: false,
    legalComments: "none",
    banner: { js: banner },
    define: { LOCKKEEPER_VERSION: JSON.stringify(version) },
    logLevel: "warning",
  });
  await chmod(out, 0o755);
}

/** Fills the folder as `make build` fills dist: lockkeeper, lockkeeper-agent, demo/. */
export async function bundleInto(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Promise.all([
    bundle("coordinator/main.ts", join(folder, "lockkeeper")),
    bundle("agent/main.ts", join(folder, "lockkeeper-agent")),
    bundle("test/demo/main.ts", join(folder, "demo/main.js")),
    buildAssets(join(folder, "demo/assets")),
  ]);
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module", version }));
  await cp(path("deploy/nats/fetch.sh"), join(folder, "nats-fetch.sh"));
}
