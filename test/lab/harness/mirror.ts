// The Debian mirror is the one this machine already uses; the repository knows no host name.
import { run } from "./run.ts";

const FORMAT = "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(CREATED_BY)|$(REPO_URI)";

/** Address of the archive that this machine's own apt uses for Debian's main section. */
export async function debianMirror(): Promise<string> {
  const targets = await run(["apt-get", "indextargets", "--format", FORMAT]);
  const mirror = mirrorIn(targets.stdout);
  if (mirror === undefined) throw new Error("no Debian archive in the apt sources of this machine");
  return mirror;
}

/** The first archive with Debian's own main section, security archives left out. */
export function mirrorIn(indexTargets: string): string | undefined {
  for (const line of indexTargets.split("\n")) {
    const [origin, label, component, kind, uri] = line.split("|");
    if (origin === "Debian" && label === "Debian" && component === "main" && kind === "Packages" && uri)
      return uri;
  }
  return undefined;
}
