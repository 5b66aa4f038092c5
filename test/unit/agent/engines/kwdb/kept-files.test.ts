import { describe, expect, it } from "vitest";
import { manifestFormat, manifestText, readManifest } from "#agent/engines/kwdb/manifest.ts";
import { originFormat, originText, readOrigin } from "#agent/engines/kwdb/origin.ts";
import { goldenText, holdsToGolden } from "#test/golden.ts";

const origin = { rollout: "20260131-221500-ab12", stage: "node-db1", attempt: 2 } as const;

holdsToGolden("a saved configuration's origin", {
  file: "agent/engines/kwdb/origin",
  format: originFormat,
  made: () =>
    (["nothing", "reversible", "irreversible"] as const).map(
      (begunBefore): object => JSON.parse(originText({ ...origin, begunBefore })) as object,
    ),
  read: (kept) => {
    const read = readOrigin(kept, "saved/a/origin.json");
    if (read === undefined) throw new Error("spoilt");
    return { format: originFormat, ...read };
  },
  refusal: "kwdb.origin-format-unknown",
});

describe("the format of a manifest", () => {
  const files = { "deploy.sh": "a".repeat(64), "packages/.version": "b".repeat(64) };
  const golden = (format: number) => goldenText(`agent/engines/kwdb/manifest-format-${format}.json`);

  it.each(Array.from({ length: manifestFormat }, (_, index) => index + 1))(
    "is read where its number is %i",
    (number) => {
      expect(readManifest(golden(number))).toEqual(files);
    },
  );

  it("is written as under the same number before", () => {
    expect(`${manifestText(files)}\n`).toBe(golden(manifestFormat));
  });

  it("is no manifest where its number is newer, or where it has none: the package is then unpacked anew", () => {
    expect(readManifest(JSON.stringify({ format: manifestFormat + 1, files }))).toBeUndefined();
    expect(readManifest(JSON.stringify(files))).toBeUndefined();
    expect(readManifest("")).toBeUndefined();
  });
});
