import { describe, expect, it } from "vitest";
import { type EvidentState, evidenceOf, isHalfWay } from "#coordinator/playbooks/kwdb/evidence.ts";
import { at, factsOf, is } from "./cluster.ts";

type Version = string | "none" | "?";

const absent = (code: string, errno: string) =>
  ({ at, unknown: { code: code as `${string}.${string}`, facts: { errno } } }) as const;

function stateOf(file: Version, binary: Version, running: Version): EvidentState {
  const facts = factsOf("db1", "3.0.0");
  return evidenceOf(
    {
      ...facts,
      versionFile:
        file === "none" || file === "?"
          ? absent("file.unreadable", file === "none" ? "ENOENT" : "EACCES")
          : is({ basic: file, extended: null }),
      binary:
        binary === "none" || binary === "?"
          ? absent(binary === "none" ? "kwdb.binary-missing" : "kwdb.binary-mute", "")
          : is({ version: `V${binary}`, sha256: "b" }),
      unit: is({
        loaded: true,
        active: "",
        sub: "",
        mainPid: running === "none" ? 0 : 7,
        needsReload: false,
      }),
      running:
        running === "none" || running === "?"
          ? absent("kwdb.not-running", "")
          : is({ pid: 7, version: running, executableSha256: "b", startedAt: at }),
    },
    "10.0.0.1:26257",
  ).state;
}

describe("what a node is at, by what is there", () => {
  it.each<readonly [Version, Version, Version, EvidentState, boolean]>([
    ["3.0.0", "3.0.0", "3.0.0", "serving", false],
    ["3.0.0", "3.0.0", "none", "stopped", false],
    ["3.1.0", "3.1.0", "3.0.0", "under-the-process", true],
    ["3.0.0", "none", "none", "packages-gone", true],
    ["3.0.0", "none", "3.0.0", "packages-gone", true],
    ["3.0.9", "3.0.10", "none", "version-file-behind", true],
    ["3.1.0", "3.0.0", "none", "version-file-ahead", true],
    ["none", "3.0.0", "3.0.0", "no-version-file", true],
    ["?", "3.0.0", "3.0.0", "unknown", false],
    ["3.0.0", "?", "3.0.0", "unknown", false],
    ["3.0.0", "3.0.0", "?", "unknown", false],
  ])("file %s, binary %s, process %s: %s", (file, binary, running, state, halfWay) => {
    expect(stateOf(file, binary, running)).toBe(state);
    const evidence = { state, file, binary, running, isMarkedUpgrading: false, hasFlag: false };
    expect(isHalfWay(evidence)).toBe(halfWay);
  });
});
