/** What the vendor's script rewrites is told apart from what an operator has written and lost. */
import { describe, expect, it } from "vitest";
import { driftOf } from "#agent/engines/kwdb/drift.ts";

const unit = [
  "[Service]",
  "User=kaiwudb",
  "LimitCORE=infinity",
  "ExecStart=/usr/local/kaiwudb/bin/kwbase start --insecure --store=/data",
  "[Install]",
];
const drift = (name: string, before: readonly string[], after: readonly string[]) =>
  driftOf([{ name, before: before.join("\n"), after: after.join("\n") }]);
const ofUnit = (after: readonly string[], before = unit) => drift("kaiwudb.service", before, after);
const replaced = (from: string, to: string, lines = unit) =>
  lines.map((line) => (line.includes(from) ? line.replace(from, to) : line));

describe("the drift of a configuration", () => {
  it("is none where nothing changed, or only order and empty lines", () => {
    expect(ofUnit(unit)).toEqual({ vendor: [], lost: [] });
    expect(ofUnit(["", ...unit.toReversed()])).toEqual({ vendor: [], lost: [] });
  });

  it("names the vendor's own rewrites as such", () => {
    const wired = replaced("kwbase start", "kwbase start $KAIWUDB_START_ARG");
    const after = [...wired, "EnvironmentFile=/etc/kaiwudb/script/kaiwudb_env"];
    expect(ofUnit(after)).toEqual({
      vendor: ["kaiwudb.service: $KAIWUDB_START_ARG wired in", "kaiwudb.service: EnvironmentFile wired in"],
      lost: [],
    });
    const legacy = replaced("/usr/local/kaiwudb/", "/usr/local/kwdb/");
    expect(ofUnit(after, legacy)).toEqual({
      vendor: [
        "kaiwudb.service: legacy path, $KAIWUDB_START_ARG wired in",
        "kaiwudb.service: EnvironmentFile wired in",
      ],
      lost: [],
    });
    expect(drift("kaiwudb/script/kaiwudb_env", ['KW_START_ARG="--x"'], ['KAIWUDB_START_ARG="--x"'])).toEqual({
      vendor: ["kaiwudb/script/kaiwudb_env: KW_START_ARG renamed"],
      lost: [],
    });
    const compose = ["services:", "  db:", "    image: kwdb/kwdb:3.0.0", "    mem_limit: 8g"];
    expect(drift("kaiwudb/script/docker-compose.yml", compose, replaced("3.0.0", "3.1.0", compose))).toEqual({
      vendor: ["kaiwudb/script/docker-compose.yml: image: kwdb/kwdb:3.0.0 is now image: kwdb/kwdb:3.1.0"],
      lost: [],
    });
  });

  it.each<readonly [string, readonly string[], readonly string[]]>([
    [
      "is gone",
      unit.filter((line) => !line.startsWith("LimitCORE")),
      ["kaiwudb.service: LimitCORE=infinity"],
    ],
    [
      "has another value",
      replaced("LimitCORE=infinity", "LimitCORE=0"),
      ["kaiwudb.service: LimitCORE=infinity"],
    ],
    [
      "was rewritten in another way than the vendor's",
      replaced("--store=/data", "--store=/other"),
      ["kaiwudb.service: ExecStart=/usr/local/kaiwudb/bin/kwbase start --insecure --store=/data"],
    ],
    [
      "was there twice",
      unit.slice(0, 2),
      [
        "kaiwudb.service: LimitCORE=infinity",
        "kaiwudb.service: ExecStart=/usr/local/kaiwudb/bin/kwbase start --insecure --store=/data",
        "kaiwudb.service: [Install]",
      ],
    ],
  ])("tells an own line that %s", (_, after, lost) => {
    expect(ofUnit(after).lost).toEqual(lost);
  });

  it("tells another service's image that the vendor has replaced, and a start argument that went", () => {
    const lost = drift(
      "kaiwudb/script/kaiwudb_env",
      ['KAIWUDB_START_ARG="--cache=8GiB"'],
      ['KAIWUDB_START_ARG=""'],
    );
    expect(lost.lost).toEqual(['kaiwudb/script/kaiwudb_env: KAIWUDB_START_ARG="--cache=8GiB"']);
  });

  it("tells files that are gone or, where they are no texts of these, have changed", () => {
    const files = [
      { name: "kaiwudb/certs/ca.crt", before: "a", after: "b" },
      { name: "kaiwudb/info/NODE", before: "a", after: undefined },
      { name: "kaiwudb/info/MODE", before: "a", after: "a" },
    ];
    expect(driftOf(files).lost).toEqual([
      "kaiwudb/certs/ca.crt: the file has changed",
      "kaiwudb/info/NODE: the file is gone",
    ]);
  });
});
