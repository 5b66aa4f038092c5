import { describe, expect, it } from "vitest";
import { z } from "zod";
import { mayDial, readConfig } from "#agent/config.ts";
import { engineKind } from "#agent/verb.ts";

const kinds = [
  engineKind({
    engine: "kwdb",
    settings: z.strictObject({ unit: z.string().default("kaiwudb.service") }),
    create: () => ({
      engine: "kwdb",
      verbs: [],
      folders: () => Promise.resolve([]),
      facts: () => Promise.resolve({}),
    }),
  }),
];
const whole = `node: db1
coordinators: ["127.0.0.1:7440"]
stateDir: /var/lib/lockkeeper-agent
engine:
  kind: kwdb
  settings: {}
`;
const complaints = (text: string) => {
  const read = readConfig(text, "agent.yaml", kinds);
  return read.ok ? [] : read.complaints.map((one) => `${one.line}:${one.column}: ${one.text}`);
};

describe("the agent's file", () => {
  it("needs little, and has a default for the rest", () => {
    const read = readConfig(whole, "agent.yaml", kinds);
    expect(read.ok && read.value).toMatchObject({
      node: "db1",
      hostRoot: "/",
      path: [],
      runner: "auto",
      insecure: false,
      engine: { kind: "kwdb", settings: { unit: "kaiwudb.service" } },
    });
  });

  it.each([
    ["a setting that does not exist", `${whole}sudo: true\n`, '7:1: there is no setting "sudo" here'],
    [
      "a setting of the engine that does not exist",
      whole.replace("{}", "{ command: rm }"),
      '6:15: there is no setting "command" here',
    ],
    [
      "an engine that this agent does not have",
      whole.replace("kwdb", "oracle"),
      "5:3: engine.kind: must be one of kwdb",
    ],
    ["a missing name", whole.replace("node: db1\n", ""), '1:1: "node" is missing'],
    ["a relative state folder", whole.replace("/var", "var"), "3:1: stateDir: must be an absolute path"],
    [
      "a coordinator without port",
      whole.replace(":7440", ""),
      "2:16: coordinators.0: must be host:port, for example 127.0.0.1:7440",
    ],
    ["a name that stands twice", `${whole}node: db2\n`, "7:1: this name stands here twice"],
    [
      "a name that is a path",
      whole.replace("db1", "../db1"),
      "1:1: node: must be a plain name, at most 63 characters",
    ],
  ])("refuses %s, with its place", (_, text, complaint) => {
    expect(complaints(text).join("\n")).toContain(complaint);
  });

  it("keeps to loopback unless it says insecure itself", () => {
    const abroad = whole.replace("127.0.0.1", "10.1.2.3");
    expect(complaints(abroad)[0]).toMatch(
      /^2:16: coordinators\.0: 10\.1\.2\.3:7440 is not a loopback address/,
    );
    expect(complaints(`${abroad}insecure: true\n`)).toEqual([]);
  });

  it.each([
    [false, "127.0.0.1:1", true],
    [false, "localhost:7440", true],
    [false, "[::1]:7440", true],
    [false, "10.1.2.3:7440", false],
    [false, "127.0.0.1.example.org:7440", false],
    [true, "10.1.2.3:7440", true],
    [true, "10.1.2.3", false],
    [true, "unix:/run/x", false],
  ])("with insecure: %s a message that names %s as leader is followed: %s", (insecure, address, followed) => {
    const read = readConfig(`${whole}insecure: ${insecure}\n`, "agent.yaml", kinds);
    expect(read.ok && mayDial(read.value, address)).toBe(followed);
  });
});
