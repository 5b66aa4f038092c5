import { describe, expect, it } from "vitest";
import { keyValues } from "#agent/host/service-unit.ts";
import { readState, unitArguments } from "#agent/host/unit-runner.ts";

const shown = (fields: string) => readState(keyValues(fields.replaceAll(" ", "\n")));

describe("what systemctl show says of a unit", () => {
  // As systemd 252 prints them.
  it.each([
    [
      "LoadState=loaded ActiveState=active Result=success ExecMainCode=0 ExecMainStatus=0",
      { state: "running" },
    ],
    [
      "LoadState=loaded ActiveState=activating Result=success ExecMainCode=0 ExecMainStatus=0",
      { state: "running" },
    ],
    [
      "LoadState=loaded ActiveState=active Result=success ExecMainCode=1 ExecMainStatus=0",
      { state: "ended", exitCode: 0, result: "exited" },
    ],
    [
      "LoadState=loaded ActiveState=failed Result=exit-code ExecMainCode=1 ExecMainStatus=7",
      { state: "ended", exitCode: 7, result: "exited" },
    ],
    [
      "LoadState=loaded ActiveState=failed Result=signal ExecMainCode=2 ExecMainStatus=9",
      { state: "ended", exitCode: undefined, result: "killed" },
    ],
    [
      "LoadState=loaded ActiveState=failed Result=core-dump ExecMainCode=3 ExecMainStatus=6",
      { state: "ended", exitCode: undefined, result: "killed" },
    ],
    [
      "LoadState=loaded ActiveState=failed Result=timeout ExecMainCode=2 ExecMainStatus=15",
      { state: "ended", exitCode: undefined, result: "deadline" },
    ],
    [
      "LoadState=loaded ActiveState=inactive Result=success ExecMainCode=0 ExecMainStatus=0",
      { state: "lost" },
    ],
  ])("%s", (fields, state) => {
    expect(shown(fields)).toEqual(state);
  });

  it("keeps an equals sign that belongs to a value", () => {
    expect(keyValues("A=b=c\nnoise\nD=")).toEqual({ A: "b=c", D: "" });
  });
});

it("asks systemd for a unit that keeps its exit status and gives words through as they are", () => {
  const order = {
    name: "lockkeeper-r1-s-x-1",
    argv: ["deploy.sh", "upgrade", "-l", "$HOME"],
    user: "omm",
    cwd: "/opt",
    limitMs: 1_500,
    env: { A: "1" },
  } as const;
  expect(unitArguments(order, "/out", { PATH: "/bin" })).toEqual([
    "--unit=lockkeeper-r1-s-x-1.service",
    "--quiet",
    "--remain-after-exit",
    "--property=Type=exec",
    "--property=StandardOutput=append:/out",
    "--property=StandardError=append:/out",
    "--property=KillMode=control-group",
    "--property=TimeoutStopSec=10",
    "--property=RuntimeMaxSec=2",
    "--working-directory=/opt",
    "--uid=omm",
    "--setenv=PATH=/bin",
    "--setenv=A=1",
    "--",
    "deploy.sh",
    "upgrade",
    "-l",
    "$$HOME",
  ]);
});
