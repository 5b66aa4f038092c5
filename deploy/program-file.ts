/** One program as a single file that needs nothing but Node. */
import { chmod } from "node:fs/promises";
import { build } from "esbuild";

/** CommonJS dependencies inside an ES module bundle still call require. */
const banner = `#!/usr/bin/env node
import { createRequire as lockkeeperCreateRequire } from "node:module";
const require = lockkeeperCreateRequire(import.meta.url);`;

export async function programFile(
  entry: string,
  out: string,
  define: Readonly<Record<string, string>> = {},
): Promise<void> {
  await build({
    entryPoints: [entry],
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
    define,
    logLevel: "warning",
  });
  await chmod(out, 0o755);
}
