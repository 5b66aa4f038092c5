/**
 * The stand-in as plain files: the bundled `kwbase` with its marks still in it, the vendor-like scripts, and
 * a demo host's tools. Made once (by `make build`, or by a test); everything else works from this folder and
 * needs neither sources nor esbuild.
 */
import { chmod, cp, mkdir } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";

const here = import.meta.dirname;

/** Fills `folder` with kwbase.js, package/ and host-bin/. */
export async function buildAssets(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: [path.join(here, "kwbase/main.ts")],
    outfile: path.join(folder, "kwbase.js"),
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    // optional parts of pg, asked for by nobody here
    external: ["pg-native", "pg-cloudflare"],
    banner: { js: "#!/usr/bin/env node" },
    logLevel: "warning",
  });
  await cp(path.join(here, "package"), path.join(folder, "package"), { recursive: true });
  await cp(path.join(here, "../host/bin"), path.join(folder, "host-bin"), { recursive: true });
  await chmod(path.join(folder, "kwbase.js"), 0o755);
  return folder;
}
