/** Bundles the two programs into single files that need nothing but Node, and puts beside them what they read. */
import { chmod, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
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
    outfile: path(out),
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
  await chmod(path(out), 0o755);
}

await rm(path("dist"), { recursive: true, force: true });
await mkdir(path("dist"), { recursive: true });
await Promise.all([
  bundle("coordinator/main.ts", "dist/lockkeeper"),
  bundle("agent/main.ts", "dist/lockkeeper-agent"),
  bundle("test/demo/main.ts", "dist/demo/main.js"),
  buildAssets(path("dist/demo/assets")),
]);
await writeFile(path("dist/package.json"), JSON.stringify({ type: "module", version }));
await cp(path("deploy/nats/fetch.sh"), path("dist/nats-fetch.sh"));
