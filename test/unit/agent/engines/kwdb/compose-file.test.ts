import { describe, expect, it } from "vitest";
import { readCompose, withImage } from "#agent/engines/kwdb/compose-file.ts";

const file = (line: string) => `# north\nservices:\n  db:\n${line}\n    restart: always # by hand\n`;

describe("the image line of an operator's compose file", () => {
  it.each([
    ["    image: kwdb/kwdb:3.0.0", "    image: kwdb/kwdb:3.1.0"],
    ["    image: kwdb/kwdb:3.0.0 # pinned, ask Li", "    image: kwdb/kwdb:3.1.0 # pinned, ask Li"],
    ["    image:   'kwdb/kwdb:3.0.0'   # 'a' \"b\"", "    image:   'kwdb/kwdb:3.1.0'   # 'a' \"b\""],
    ['    image: "kwdb/kwdb:3.0.0"\t', '    image: "kwdb/kwdb:3.1.0"\t'],
    ["    image: kwdb/kwdb:3.0.0 # crlf\r", "    image: kwdb/kwdb:3.1.0 # crlf\r"],
  ])("has another value, and its quotes and its comment: %s", (before, after) => {
    expect(readCompose(file(before))).toMatchObject({ value: { images: ["kwdb/kwdb:3.0.0"] } });
    expect(withImage(file(before), "kwdb/kwdb:3.1.0")).toEqual({ ok: true, value: file(after) });
  });

  it.each([
    ["    image: kwdb/kwdb:3.0.0#not-a-comment"],
    ["    image: \"kwdb/kwdb:3.0.0'"],
    ["    image: kwdb/kwdb:3.0.0\n  web:\n    image: nginx:1"],
    ["    build: ."],
  ])("is written over only where it is one, and its value plain: %s", (line) => {
    expect(withImage(file(line), "kwdb/kwdb:3.1.0")).toMatchObject({
      ok: false,
      failure: { code: "kwdb.compose-images" },
    });
  });
});
