/** The documents say nothing that the product does not know: commands, files, codes, links, places. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse as parsedYaml } from "yaml";
import { z } from "zod";
import { readConfig } from "#agent/config.ts";
import { engineKinds } from "#agent/engines/index.ts";
import { exitCodes } from "#coordinator/cli/exit-code.ts";
import { readCoordinatorConfig } from "#coordinator/config.ts";
import type { Plan } from "#coordinator/domain/plan.ts";
import { parseInventory } from "#coordinator/inventory/parse.ts";
import { en } from "#proto/catalogue/en/index.ts";
import { complaintsText } from "#proto/common/settings-file.ts";
import { elsewhere } from "./elsewhere.ts";
import { anchorsOf, codeOf, fencesOf, type Page, pages, repository, typed } from "./page.ts";
import { complaint } from "./parsing.ts";

const knownCodes: ReadonlySet<number> = new Set(Object.values(exitCodes));
const catalogue = Object.keys(en);

describe("commands", () => {
  it.each(typed.map((command) => [command.place, command] as const))(
    "%s is taken by its parser",
    (_, { text, exitCode }) => {
      const line = text.replace(/^\w+=\$\((.*)\)$/, "$1").replace(/^dist\//, "");
      if (/^lockkeeper(-agent)? /.test(line)) expect(complaint(line)).toBeUndefined();
      else if (line.startsWith("make ")) expect(makeTargets()).toContain(line.split(" ")[1]);
      else expect(elsewhere.map((each) => each.command)).toContain(text);
      expect(knownCodes).toContain(exitCode);
    },
  );

  it("that are named in running text exist", () => {
    const wrong = pages.flatMap((page) =>
      codeOf(page).flatMap(({ place, code }) => {
        if (!/^lockkeeper(-agent)? [a-z]/.test(code)) return [];
        const why = complaint(code, { fragment: true });
        return why === undefined ? [] : [`${place} ${code}: ${why}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it("that the catalogue tells people to type exist", () => {
    const wrong = Object.entries(en).flatMap(([code, { next = "" }]) =>
      [...next.matchAll(/lockkeeper(-agent)? [a-z][^,;:\n(]*/g)].flatMap(([line]) => {
        const typedLine = line
          .replace(/--coordinator \{\w+\}/, "--coordinator x:1")
          .replaceAll(/\{\w+\}/g, "x")
          .replace(/ shows .*$| tries .*$|, or .*$| too,.*$/, "");
        const why = complaint(typedLine.replaceAll("…", "x"), { fragment: true });
        return why === undefined ? [] : [`${code}: ${typedLine}: ${why}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it("that are not run here are run where this table says", () => {
    for (const { command, where } of elsewhere) {
      expect(
        typed.map(({ text }) => text),
        command,
      ).toContain(command);
      expect(existsSync(repository(where)), where).toBe(true);
    }
  });
});

describe("files", () => {
  const yaml = pages.flatMap(fencesOf).filter(({ language }) => language === "yaml");
  const stored = [
    "deploy/examples/inventory.yaml",
    "deploy/agent.example.yaml",
    "deploy/coordinator.example.yaml",
  ];

  it.each([
    ...yaml.map(({ page, line, text }) => [`${page}:${line}`, text] as const),
    ...stored.map((name) => [name, readFileSync(repository(name), "utf8")] as const),
  ])("%s is read without a complaint", (name, text) => {
    expect(complaintsAbout(name, text)).toBe("");
  });

  it.each(stored)("%s is what its schema for editors takes, and a misspelt key is not", (name) => {
    const kind = kindOf(readFileSync(repository(name), "utf8"));
    const schema = z.fromJSONSchema(JSON.parse(schemaText(kind)));
    const read = z.record(z.string(), z.unknown()).parse(parsedYaml(readFileSync(repository(name), "utf8")));
    expect(schema.safeParse(read).error).toBeUndefined();
    expect(schema.safeParse({ ...read, mispelt: 1 }).success).toBe(false);
  });
});

describe("codes", () => {
  it("of exits are all in the table of operations.md, and no other is mentioned", () => {
    const rows = [...pageOf("docs/operations.md").text.matchAll(/^\| (\d+) +\|/gm)].map((match) =>
      Number(match[1]),
    );
    expect(new Set(rows)).toEqual(knownCodes);
    const mentioned = pages.flatMap(({ text }) =>
      [...text.matchAll(/[Ee]xit code (\d+)/g)].map((match) => Number(match[1])),
    );
    expect(mentioned.filter((code) => !knownCodes.has(code))).toEqual([]);
  });

  it("of failures and checks that are mentioned exist", () => {
    const areas = new Set(
      catalogue.map((code) => code.replace(/^(check|gate|warning|way-back|hint)\./, "").split(".")[0]),
    );
    const unknown = pages.flatMap((page) =>
      codeOf(page).flatMap(({ place, code }) => {
        if (!/^[a-z-]+\.[a-z0-9-]+$/.test(code) || !areas.has(code.split(".")[0] ?? "") || isFile(code))
          return [];
        const known = ["", "check.", "gate."].some((kind) => catalogue.includes(`${kind}${code}`));
        return known || onPaper(page, code) ? [] : [`${place} ${code}`];
      }),
    );
    expect(unknown).toEqual([]);
  });

  it("of every check of KWDB stand in its page", () => {
    const page = pageOf("docs/kwdb.md").text;
    const checks = catalogue.flatMap((code) => /^check\.(kwdb\.[a-z0-9-]+)$/.exec(code)?.[1] ?? []);
    expect(checks.length).toBeGreaterThan(20);
    expect(checks.filter((check) => !page.includes(`| \`${check}\``))).toEqual([]);
  });
});

describe("places", () => {
  it("that are linked exist, with their headings", () => {
    const broken = pages.flatMap((page) =>
      [...page.text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].flatMap((match) => {
        const [path = "", anchor] = (match[1] ?? "").split("#");
        const target = path === "" ? page.name : join(dirname(page.name), path);
        if (!existsSync(repository(target))) return [`${page.name}: ${match[1]}`];
        const there = anchor === undefined || anchorsOf(pageOf(target)).includes(anchor);
        return there ? [] : [`${page.name}: ${match[1]}`];
      }),
    );
    expect(broken).toEqual([]);
  });

  it("of the repository that are named exist", () => {
    const missing = pages.flatMap((page) =>
      codeOf(page).flatMap(({ place, code }) =>
        /^(agent|coordinator|proto|deploy|test|docs)\/[\w./-]+$/.test(code) && !existsSync(repository(code))
          ? [`${place} ${code}`]
          : [],
      ),
    );
    expect(missing).toEqual([]);
  });

  it("in an upgrade's order: kwdb.md names the steps of a real plan, in their order", () => {
    const plan = goldenPlan("rolling-3.0.0-to-3.1.0");
    const [preflight] = plan.stages.flatMap((stage) => (stage.kind === "preflight" ? stage.programs : []));
    const [node] = plan.stages.flatMap((stage) => (stage.kind === "node" ? [stage.program] : []));
    const steps = [preflight, node].flatMap((program) => program?.steps.map(({ id }) => id) ?? []);
    expect(toldBefore("### All stopped together")).toEqual(steps);
  });

  it("in an offline upgrade's order: kwdb.md names the phases of a real plan, in their order", () => {
    const { stages } = goldenPlan("single-replica-3.0.0-to-3.1.0");
    const phases = stages.flatMap((stage) => (stage.kind === "cluster" ? stage.phases : []));
    const told = toldBefore("### Settings of a cluster", "### All stopped together");
    expect(told.filter((phase) => phase !== "archive")).toEqual(phases.map(({ id }) => id));
  });
});

function goldenPlan(name: string): Plan {
  const golden = `test/fixtures/coordinator/playbooks/kwdb/${name}.json`;
  return JSON.parse(readFileSync(repository(golden), "utf8")) as Plan;
}

/** First cells of the tables in kwdb.md, between two of its headings. */
function toldBefore(heading: string, after = ""): readonly (string | undefined)[] {
  const [before = ""] = pageOf("docs/kwdb.md").text.split(heading);
  const part = after === "" ? before : (before.split(after)[1] ?? "");
  return [...part.matchAll(/^\| `([a-z-]+)` +\|/gm)].map((match) => match[1]);
}

function pageOf(name: string): Page {
  const found = pages.find((page) => page.name === name);
  if (found === undefined) throw new Error(`no page ${name}`);
  return found;
}

function makeTargets(): readonly string[] {
  return [...readFileSync(repository("Makefile"), "utf8").matchAll(/^([a-z-]+):/gm)].map(
    (match) => match[1] ?? "",
  );
}

/** A file says which one it is: `# schema: agent`, or the line by which editors find its schema. */
function kindOf(text: string): string | undefined {
  return /^# schema: (\w+)$|\$schema=.*\/(\w+)\.schema\.json/m
    .exec(text)
    ?.slice(1)
    .find((kind) => kind !== undefined);
}

/** Zod reads patterns back without their Unicode flag; editors read them with it. */
function schemaText(kind: string | undefined): string {
  const text = readFileSync(repository(`deploy/schema/${kind}.schema.json`), "utf8");
  return text.replaceAll("\\\\p{Letter}", "A-Za-z").replaceAll("\\\\p{Number}", "0-9");
}

function complaintsAbout(name: string, text: string): string {
  const kind = kindOf(text);
  if (kind === "inventory") {
    const parsed = parseInventory(text, name);
    return parsed.ok ? "" : complaintsText(parsed.complaints);
  }
  const read = kind === "agent" ? readConfig(text, name, engineKinds) : readCoordinatorConfig(text, name);
  if (kind !== "agent" && kind !== "coordinator") return "which file is it? begin it with `# schema: …`";
  return read.ok ? "" : complaintsText(read.complaints);
}

function isFile(code: string): boolean {
  return /\.(md|json|ts|yaml|service|conf)$/.test(code);
}

/** Checks of engines to come. */
function onPaper({ name }: Page, code: string): boolean {
  return name === "docs/architecture.md" && /^(postgresql|timescaledb|opengauss)\./.test(code);
}
