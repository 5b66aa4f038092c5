// Transient units on a real host: the same contract that process groups are held to, and what only systemd can do.
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cases, unitCases } from "#test/contract/agent/tool-runner-cases.ts";
import { programFile } from "../../../deploy/program-file.ts";
import { createLab, debianRoot, describeLab, type Host, type Lab } from "../harness/index.ts";

await describeLab("a tool in a transient unit", () => {
  let lab: Lab;
  let db1: Host;

  beforeAll(async () => {
    const outfile = join(await mkdtemp(join(tmpdir(), "lockkeeper-case-")), "case.mjs");
    const entry = fileURLToPath(new URL("./unit-case.ts", import.meta.url));
    await programFile(entry, outfile);
    lab = await createLab({ name: "units" });
    db1 = await lab.host({ name: "db1", root: await debianRoot({ suite: "bookworm" }), ip: "10.77.0.11" });
    await db1.copyIn(outfile, "/opt/case.mjs");
  });

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  it.each(Object.keys({ ...cases, ...unitCases }))("%s", async (name) => {
    const ended = await db1.exec(["node", "/opt/case.mjs", name], { timeoutMs: 60_000 });
    expect(ended.code, ended.stdout + ended.stderr).toBe(0);
  });

  it("leaves no unit behind", async () => {
    expect(await db1.must(["systemctl", "list-units", "--all", "--no-legend", "lockkeeper-*"])).toBe("");
  });
});
