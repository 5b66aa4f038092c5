import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { stopHints } from "#coordinator/domain/rollout/hint.ts";
import { checkCluster } from "#coordinator/playbooks/kwdb/checks.ts";
import { en } from "#proto/catalogue/en/index.ts";
import { render } from "#proto/catalogue/render.ts";

const root = new URL("../../..", import.meta.url).pathname;

function sources(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(root, folder, name));
}

/** Of the coordinator: a hint is recorded by it alone, and never put together from parts. */
function hintsWritten(): readonly string[] {
  const texts = sources("coordinator").map((file) => readFileSync(file, "utf8"));
  return [...new Set(texts.flatMap((text) => text.match(/(?<=")hint\.[^"]*/g) ?? []))].sort();
}

/** Codes as the sources make them: every failure that a person can meet has its words. */
function codesMade(): readonly string[] {
  const makers = /\b(?:failure|failed|fail|refuse|waitFor)(?:<[^>]*>)?\(\s*"([a-z0-9-]+(?:\.[a-z0-9-]+)+)"/g;
  const texts = ["agent", "coordinator", "proto/common"]
    .flatMap(sources)
    .map((file) => readFileSync(file, "utf8"));
  return [
    ...new Set(texts.flatMap((text) => [...text.matchAll(makers)].map((found) => found[1] ?? ""))),
  ].sort();
}

describe("the catalogue", () => {
  it("names a rollout, or the place for one, in every command of a hint that needs it", () => {
    const texts = Object.values(en).flatMap(({ says, next = "" }) => [says, next]);
    const needy = /lockkeeper (?:retry|resume|abort|approve|plan --back)(?! (?:ROLLOUT|\{)).{0,20}/;
    expect(texts.flatMap((text) => needy.exec(text)?.[0] ?? [])).toEqual([]);
  });

  it("has words for every failure that is made", () => {
    expect(codesMade().filter((code) => en[code] === undefined)).toEqual([]);
  });

  it("has words for every hint that the engine or a playbook records, and for no other", () => {
    const listed = Object.keys(en).filter((code) => code.startsWith("hint."));
    expect(hintsWritten()).toEqual(listed.sort());
    const puzzled = sources("coordinator").filter((file) => readFileSync(file, "utf8").includes("`hint."));
    expect(puzzled.map((file) => basename(file))).toEqual(["hint.ts"]);
  });

  it("has every hint used where a stop is made, not in its list alone", () => {
    const makers = sources("coordinator")
      .filter((file) => !file.endsWith("rollout/hint.ts") && !file.endsWith("rollout/view.ts"))
      .map((file) => readFileSync(file, "utf8"));
    const ofOutcomes = Object.keys(en).filter((code) => /^hint\.program-(?!lost)/.test(code));
    const unused = stopHints.filter(
      (code) => !ofOutcomes.includes(code) && !makers.some((text) => text.includes(`"${code}"`)),
    );
    expect(unused).toEqual([]);
  });

  it("has words for every check and for what each may find", () => {
    const cluster = {
      name: "c",
      engine: "kwdb",
      topology: "multi-replica",
      deployment: "script",
      gates: { everyMs: 1, dwellMs: 1, limitMs: 1 },
      settings: {},
      windows: [],
      nodes: [{ name: "db1", address: "a" }],
    };
    const results = checkCluster({ cluster, wish: { to: "3.1.0" }, reports: {}, nowMs: 0, clockOffsets: {} });
    const codes = results.flatMap(({ id, status }) => [
      `check.${id}`,
      ...(status === "ok" ? [] : [`check.${id}.${status}`]),
    ]);
    expect(codes.filter((code) => en[code] === undefined)).toEqual([]);
  });

  it("shows a code that it does not know, with its facts", () => {
    expect(render({ code: "no.words", facts: { a: "1" } })).toEqual({ says: "no.words (a=1)" });
  });

  it("fills in facts and marks the ones that nobody gave", () => {
    expect(render({ code: "rollout.paused", facts: { by: "op" } }).says).toBe("paused by op: (not said)");
  });

  it("leaves out a bracket of which nothing is known", () => {
    const title = (facts: Readonly<Record<string, string>>) =>
      render({ code: "t.t", facts }, { "t.t": entry }).says;
    const entry = { says: "every node is listed ({listed} listed, {seen} seen)" };
    expect(title({})).toBe("every node is listed");
    expect(title({ listed: "3", seen: "2" })).toBe("every node is listed (3 listed, 2 seen)");
    expect(title({ seen: "2" })).toBe("every node is listed ((not said) listed, 2 seen)");
  });
});
