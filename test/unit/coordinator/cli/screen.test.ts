import { describe, expect, it } from "vitest";
import { widthOf } from "#coordinator/cli/render/table.ts";
import { Screen } from "#coordinator/cli/screen.ts";

const esc = String.fromCharCode(27);

/** A terminal that understands what the screen says: lines, and erasing from a place upwards. */
function terminal(columns = 40, rows = 10) {
  let lines: string[] = [""];
  const write = (text: string) => {
    for (const part of text.match(new RegExp(`${esc}\\[\\d*[AJ]|\\r|\\n|[^${esc}\\r\\n]+`, "g")) ?? []) {
      if (part === "\n") lines.push("");
      else if (part.endsWith("A") && part.startsWith(esc))
        lines = lines.slice(0, lines.length - Number(part.slice(2, -1)));
      else if (part === `${esc}[J`) lines = [...lines.slice(0, -1), ""];
      else if (part !== "\r") lines[lines.length - 1] += part;
    }
  };
  const screen = (redraws: boolean) => new Screen({ write, redraws, size: () => ({ columns, rows }) });
  return { screen, shown: () => lines.join("\n") };
}

describe("screen", () => {
  it("keeps what is drawn below a log that goes on", () => {
    const { screen, shown } = terminal();
    const it = screen(true);
    it.log("one");
    it.draw(["db1 stops", "db2 waits"]);
    it.log("two");
    it.draw(["db1 starts"]);
    it.log("three");
    expect(shown()).toBe("one\ntwo\nthree\ndb1 starts\n");
    it.draw([]);
    expect(shown()).toBe("one\ntwo\nthree\n");
  });

  it("writes the log and nothing else where nothing may be redrawn", () => {
    const { screen, shown } = terminal();
    const it = screen(false);
    it.draw(["picture"]);
    it.log("one");
    expect(shown()).toBe("one\n");
  });

  it("never draws what could not be erased: no line that wraps, no block higher than the terminal", () => {
    const { screen, shown } = terminal(20, 6);
    screen(true).draw(
      Array.from({ length: 30 }, (_, index) => `节点${index} 正在升级到新的版本而且名字很长`),
    );
    const lines = shown().trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(4);
    for (const line of lines) expect(widthOf(line)).toBeLessThan(20);
  });
});
