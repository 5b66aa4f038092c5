/** The two programs as single files that need nothing but Node, beside them what they read. */
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildAssets } from "../test/doubles/kwdb/build-assets.ts";
import { programFile } from "./program-file.ts";

const root = new URL("..", import.meta.url);
const path = (relative: string) => fileURLToPath(new URL(relative, root));
const { version } = JSON.parse(await readFile(path("package.json"), "utf8")) as { version: string };

const bundle = (entry: string, out: string) =>
  programFile(path(entry), out, { LOCKKEEPER_VERSION: JSON.stringify(version) });

/** Fills the folder as `make build` fills dist: lockkeeper, lockkeeper-agent, demo/. */
export async function bundleInto(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Promise.all([
    bundle("coordinator/main.ts", join(folder, "lockkeeper")),
    bundle("agent/main.ts", join(folder, "lockkeeper-agent")),
    bundle("test/demo/main.ts", join(folder, "demo/main.js")),
    bundle("test/demo/postgresql/main.ts", join(folder, "demo/postgresql.js")),
    buildAssets(join(folder, "demo/assets")),
  ]);
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module", version }));
  await cp(path("deploy/nats/fetch.sh"), join(folder, "nats-fetch.sh"));
  await cp(path("deploy/postgres/fetch.sh"), join(folder, "postgres-fetch.sh"));
  await cp(path("deploy/fetch-debian.sh"), join(folder, "fetch-debian.sh"));
}
