import { describe, expect, it } from "vitest";
import { causeIn } from "#agent/engines/kwdb/package.ts";

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
