import { describe, expect, it } from "vitest";
import { withFlag, withoutFlag } from "#agent/engines/kwdb/mending.ts";

const line = (args: string) => `KAIWUDB_START_ARG="${args}"\n`;

describe("the flag of an upgrade in kaiwudb_env", () => {
  it.each([
    ["--upgrade-complete ", ""],
    ["--upgrade-complete", ""],
    ["--upgrade-complete --cache=2GiB --x='a  b'", "--cache=2GiB --x='a  b'"],
    ["--cache=2GiB --upgrade-complete --max-sql-memory=1", "--cache=2GiB --max-sql-memory=1"],
    ["--upgrade-complete=true --cache=1", "--cache=1"],
    ["--upgrade-complete --upgrade-complete ", ""],
  ])("is taken out of %j, and every other argument stays to the letter", (args, left) => {
    expect(withoutFlag(`# own line\n${line(args)}OTHER="1"\n`)).toBe(`# own line\n${line(left)}OTHER="1"\n`);
  });

  it.each(["", "--cache=2GiB", "--upgrade-completed", "--no-upgrade-complete"])(
    "is not seen in %j",
    (args) => {
      expect(withoutFlag(line(args))).toBe(line(args));
    },
  );

  it("is put in as the vendor's script does it, once, and taken out again leaves what was there", () => {
    for (const args of ["", "--cache=2GiB --x=1"]) {
      const put = withFlag(line(args)) ?? "";
      expect(put).toBe(line(`--upgrade-complete ${args}`));
      expect(withFlag(put)).toBe(put);
      expect(withoutFlag(put)).toBe(line(args));
    }
  });

  it("has no place where there is no such line", () => {
    expect(withFlag("OTHER=1\n")).toBeUndefined();
  });
});
