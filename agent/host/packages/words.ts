/** How this host's apt and dpkg are called: below the host's root, in English, asking nobody and starting nothing. */
import type { Host } from "../../verb.ts";

/** What a look says is read: it must not depend on the host's language. */
export const readEnv = { LC_ALL: "C" } as const;

/** Set while packages are changed by us, and by nobody else: by it our policy-rc.d knows whom to refuse. */
export const changing = "LOCKKEEPER_CHANGES_PACKAGES";

export const changeEnv = {
  ...readEnv,
  [changing]: "1",
  DEBIAN_FRONTEND: "noninteractive",
  APT_LISTCHANGES_FRONTEND: "none",
  // it restarts services by itself where nobody is asked
  NEEDRESTART_SUSPEND: "1",
} as const;

export function aptWords(host: Host): readonly string[] {
  const root = host.path("/");
  const sub = root.replace(/\/$/, "");
  return sub === ""
    ? []
    : [
        `Dir=${sub}`,
        `Dir::State::status=${sub}/var/lib/dpkg/status`,
        `Dpkg::Options::=--root=${sub}`,
      ].flatMap((word) => ["-o", word]);
}

export function dpkgWords(host: Host): readonly string[] {
  const root = host.path("/").replace(/\/$/, "");
  return root === "" ? [] : [`--root=${root}`];
}

/** The lines that tell errors; else the last ones. */
export function causeIn(text: string): string {
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== "");
  const errors = lines.filter((line) => /^(E: |dpkg: error|dpkg: dependency)/.test(line));
  return (errors.length > 0 ? errors : lines.slice(-3)).join("; ").slice(-600) || "it said nothing";
}
