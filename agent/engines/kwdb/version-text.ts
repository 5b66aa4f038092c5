/** Versions as the vendor's files and tools print them. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";
import { readText } from "./files.ts";
import { paths } from "./paths.ts";

/** Of `kwbase version`; the label is KWDB in some releases. undefined where there is none. */
export function readVersionOutput(stdout: string): string | undefined {
  const found = /^(?:KaiwuDB|KWDB) Version:\s+(\S+)/m.exec(stdout)?.[1];
  return found === undefined ? undefined : normal(found);
}

/** `.version`: line 1 the version, line 2 the extended tag where there is one. Refused: `kwdb.version-file-unreadable`. */
export function parseVersionFile(
  text: string,
): Outcome<{ readonly basic: string; readonly extended: string | null }> {
  const [basic = "", extended = ""] = text.split("\n").map((line) => line.trim());
  return /^\d+(\.\d+)+$/.test(basic)
    ? succeed({ basic, extended: extended === "" ? null : extended })
    : fail("kwdb.version-file-unreadable", { text: text.slice(0, 80) });
}

export async function readVersionFile(host: Host) {
  const text = await readText(host, paths.versionFile);
  return text.ok ? parseVersionFile(text.value) : text;
}

/** `V3.1.0` and `3.1.0` are the same version. */
export function normal(version: string | null | undefined): string {
  return (version ?? "").replace(/^[Vv](?=\d)/, "");
}
