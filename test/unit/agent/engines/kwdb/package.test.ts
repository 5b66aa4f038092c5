import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { kwdbKind } from "#agent/engines/kwdb/index.ts";
import { causeIn } from "#agent/engines/kwdb/package.ts";
import type { AgentEngine, ToolRequest } from "#agent/verb.ts";
import { fakeHost, lookOf } from "./fake-host.ts";
import { stepContext } from "./step-context.ts";

const blank = `${" ".repeat(123)}\r`;
const red = (text: string) => `${blank}\u001b[31m [ERROR] 2026-02-01 10:00:00 ${text} \u001b[0m\n`;
const bar = "upgrade                  : [###################################               ] 70%\r";

describe("what deploy.sh says when it fails", () => {
  it.each([
    [
      "its label for a failed package installation is wrong",
      bar +
        red("Pipe create failed: dpkg: error processing archive ./kaiwudb-server.deb (--install): no space."),
      "package installation failed: dpkg: error processing archive ./kaiwudb-server.deb (--install): no space.",
    ],
    [
      "the bar prints on after the error",
      red("Current use container, but the package is bare.") + bar,
      "Current use container, but the package is bare.",
    ],
    [
      "sudo's error has no date",
      "\u001b[31m[ERROR]\u001b[0m Can not use command: 'sudo bash'.\n",
      "Can not use command: 'sudo bash'.",
    ],
    [
      "a full disk",
      "cp: error writing '/etc/x': No space left on device\n",
      "cp: error writing '/etc/x': No space left on device",
    ],
    [
      "only success",
      "\u001b[1;32m[UPGRADE COMPLETED]:\u001b[0mLocal node upgrade successfully.\n",
      "[UPGRADE COMPLETED]:Local node upgrade successfully.",
    ],
    ["nothing", "", "it said nothing"],
  ])("%s", (_, tail, cause) => {
    expect(causeIn(tail)).toBe(cause);
  });
});

describe("deploy.sh", () => {
  it("is called by the agent itself, whose folder it lies in, whoever docker is called as", async () => {
    const digest = "d".repeat(64);
    const host = fakeHost(() => lookOf("LoadState=loaded\nActiveState=inactive\nSubState=dead\nMainPID=0\n"));
    const folder = join(host.stateDir, "packages", digest, "tree/kwdb_install");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "deploy.sh"), "");
    const asked: ToolRequest[] = [];
    const tool = (request: ToolRequest) => {
      asked.push(request);
      return {};
    };
    const engine = kwdbKind.create(kwdbKind.settings.parse({ user: "ops" })) as AgentEngine;
    const upgrade = engine.verbs.find(({ name }) => name === "kwdb.upgrade-package");
    await upgrade?.run(stepContext(host, { tool }), { digest, version: "3.1.0" });
    expect(asked).toEqual([{ argv: ["./deploy.sh", "upgrade", "-l"], cwd: folder }]);
  });
});
