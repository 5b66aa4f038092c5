import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRecords } from "#agent/engines/kwdb/csv.ts";

describe("the database's CSV", () => {
  it.each([
    ["nothing", "", []],
    ["a header and no rows", "id,address\n", [["id", "address"]]],
    ["a last line without its end", "a\n1", [["a"], ["1"]]],
    [
      "NULL without quotes",
      "a,b\nNULL,1\n",
      [
        ["a", "b"],
        [null, "1"],
      ],
    ],
    ["NULL in quotes, which is a text", 'a\n"NULL"\n', [["a"], ["NULL"]]],
    [
      "an empty text",
      'a,b\n"",x\n',
      [
        ["a", "b"],
        ["", "x"],
      ],
    ],
    ["a comma inside quotes", 'a\n"1,2"\n', [["a"], ["1,2"]]],
    ["a quote inside quotes", 'a\n"say ""no"""\n', [["a"], ['say "no"']]],
    ["only quotes inside quotes", 'a\n""""\n', [["a"], ['"']]],
    [
      "a line end inside quotes",
      'a,b\n"x\ny",2\n',
      [
        ["a", "b"],
        ["x\ny", "2"],
      ],
    ],
    ["a leading blank inside quotes", 'a\n" x"\n', [["a"], [" x"]]],
    [
      "carriage returns",
      'a,b\r\n1,"2"\r\n',
      [
        ["a", "b"],
        ["1", "2"],
      ],
    ],
    ["an array", "replicas\n{1}\n", [["replicas"], ["{1}"]]],
    ["a comma at the very end", "a,", [["a", ""]]],
    ["a quote that was cut", 'a\n"half', [["a"], ["half"]]],
  ])("reads %s", (_, text, records) => {
    expect(parseRecords(text)).toEqual(records);
  });

  it("reads back whatever the database's writer writes", () => {
    const write = (cell: string | null) => {
      if (cell === null) return "NULL";
      const mustQuote = cell === "" || cell === "NULL" || /^\s|[,"\r\n]/.test(cell);
      return mustQuote ? `"${cell.replaceAll('"', '""')}"` : cell;
    };
    const cell = fc.oneof(
      fc.constant(null),
      fc.string({ unit: "grapheme" }),
      fc.stringMatching(/^[",\n NUL]{0,6}$/),
    );
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 5 }));
    fc.assert(
      fc.property(table, (rows) => {
        const text = rows.map((row) => `${row.map(write).join(",")}\n`).join("");
        expect(parseRecords(text)).toEqual(rows);
      }),
    );
  });
});
