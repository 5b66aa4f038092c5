import { describe, expect, it } from "vitest";
import { normal, parseVersionFile, readVersionOutput } from "#agent/engines/kwdb/version-text.ts";

describe("kwbase version", () => {
  const output = (label: string, tag: string) =>
    `${label} Version:  ${tag}\nBuild Time:       2026/01/30 02:23:47\nDistribution:     \nPlatform:         linux amd64 (x86_64-linux-gnu)\n`;

  it.each([
    ["a release", output("KaiwuDB", "3.1.0"), "3.1.0"],
    ["the other label", output("KWDB", "2.1.1"), "2.1.1"],
    ["a tag with its V", output("KaiwuDB", "V3.0.0"), "3.0.0"],
    [
      "a build of its own",
      output("KaiwuDB", "V2.0.3.2_RC3-3-gfe5eeb853e-dirty"),
      "2.0.3.2_RC3-3-gfe5eeb853e-dirty",
    ],
    ["a warning before", `warning: no locale\n${output("KaiwuDB", "3.1.0")}`, "3.1.0"],
    ["another program", "v20.20.2\n", undefined],
    ["the label alone", "KaiwuDB Version:\n", undefined],
    ["nothing", "", undefined],
  ])("of %s", (_, text, version) => {
    expect(readVersionOutput(text)).toBe(version);
  });
});

describe("the version file", () => {
  it.each([
    ["one line", "3.1.0\n", { basic: "3.1.0", extended: null }],
    ["no line end", "3.1.0", { basic: "3.1.0", extended: null }],
    ["an extended tag", "3.1.0\nhotfix1\n", { basic: "3.1.0", extended: "hotfix1" }],
    ["carriage returns", "2.2.1\r\nbeta2\r\n", { basic: "2.2.1", extended: "beta2" }],
    ["four numbers", "2.0.3.2\n", { basic: "2.0.3.2", extended: null }],
  ])("of %s", (_, text, value) => {
    expect(parseVersionFile(text)).toEqual({ ok: true, value });
  });

  it.each(["", "\n3.1.0", "V3.1.0", "3", "3.1.0-rc1", "three"])("holding %j is refused", (text) => {
    expect(parseVersionFile(text)).toMatchObject({
      ok: false,
      failure: { code: "kwdb.version-file-unreadable" },
    });
  });
});

describe("a tag", () => {
  it.each([
    ["V3.1.0", "3.1.0"],
    ["v3.1.0", "3.1.0"],
    ["3.1.0", "3.1.0"],
    ["Version", "Version"],
    [null, ""],
    [undefined, ""],
  ])("%s is %s", (tag, version) => {
    expect(normal(tag)).toBe(version);
  });
});
