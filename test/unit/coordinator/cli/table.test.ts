import { describe, expect, it } from "vitest";
import { coloured } from "#coordinator/cli/render/style.ts";
import { clip, renderTable, widthOf } from "#coordinator/cli/render/table.ts";

describe("renderTable", () => {
  it("keeps columns straight under Chinese names and colour", () => {
    const table = renderTable(
      ["CLUSTER", "STATE"],
      [
        ["账单", coloured("good", "well")],
        ["billing", "well"],
      ],
    );
    const starts = table.split("\n").map((line) => widthOf(line.split(/STATE|well/)[0] ?? ""));
    expect(starts).toEqual([9, 9, 9]);
  });

  it("keeps a row on one line, whatever was found", () => {
    const found = "kwbase says:\n  panic: no space\r\n\tat disk.go\n";
    expect(renderTable(["NODE", "FINDINGS"], [["db1", found]]).split("\n")).toEqual([
      "NODE  FINDINGS",
      "db1   kwbase says: panic: no space; at disk.go",
    ]);
  });

  it("cuts a wide name without splitting a character", () => {
    expect(clip("数据库集群", 6)).toBe("数据…");
    expect(widthOf(clip("数据库集群", 6))).toBeLessThanOrEqual(6);
  });

  it("cuts between colours, never within one, and ends what was begun", () => {
    const cut = clip(`a ${coloured("bad", "red and long")} b`, 8);
    expect(widthOf(cut)).toBeLessThanOrEqual(8);
    expect(cut.endsWith(`…${String.fromCharCode(27)}[0m`)).toBe(true);
  });
});
