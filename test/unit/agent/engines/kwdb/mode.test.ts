import { describe, expect, it } from "vitest";
import { parseMode } from "#agent/engines/kwdb/mode.ts";

const lines = [
  "bare",
  "multi-replication",
  "/usr/local/kaiwudb",
  "/data/kw",
  "26257",
  "8080",
  "kaiwudb",
  "tls",
  "true",
  "10.0.0.11",
];
const withLine = (at: number, line: string) => lines.with(at, line).join("\n");

describe("the MODE file", () => {
  it("is read by position, and its last line is the address", () => {
    const extended = [...lines.slice(0, 9), "27257", "10.0.0.12", ""].join("\n");
    expect(parseMode(extended)).toEqual({
      ok: true,
      value: {
        kind: "bare",
        topology: "multi-replication",
        place: "/usr/local/kaiwudb",
        dataRoot: "/data/kw",
        sqlPort: 26_257,
        httpPort: 8_080,
        user: "kaiwudb",
        security: "tls",
        encrypted: true,
        address: "10.0.0.12",
      },
    });
  });

  it.each([
    ["blank lines at its end", `${lines.join("\n")}\n\n\n`],
    ["carriage returns", lines.join("\r\n")],
    ["a container", withLine(0, "container")],
    ["a single node", withLine(1, "single")],
    ["no encryption", withLine(8, "false")],
  ])("may have %s", (_, text) => {
    expect(parseMode(text).ok).toBe(true);
  });

  it.each([
    ["nothing", ""],
    ["a line too few", lines.slice(0, 9).join("\n")],
    ["an unknown kind", withLine(0, "podman")],
    ["an empty topology, which the script takes for a cluster", withLine(1, "")],
    ["an unknown topology", withLine(1, "two-replication")],
    ["an unknown security", withLine(7, "maybe")],
    ["a port that is none", withLine(4, "x")],
    ["port 0", withLine(4, "0")],
    ["a port too high", withLine(5, "65536")],
  ])("with %s is refused", (_, text) => {
    expect(parseMode(text)).toMatchObject({ ok: false, failure: { code: "kwdb.mode-unreadable" } });
  });
});
