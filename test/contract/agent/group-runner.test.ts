import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { GroupRunner } from "#agent/host/group-runner.ts";
import { asUserFrom } from "#agent/host/local-host.ts";
import { systemClock } from "#proto/common/clock.ts";
import { cases, groupCases, type Place } from "./tool-runner-cases.ts";

describe("a tool in a process group of its own", () => {
  let folder: string;
  let place: Place;
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/root" };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "lockkeeper-groups-"));
    const options = {
      folder,
      clock: systemClock,
      bootId: "b",
      env,
      graceMs: 300,
      asUser: asUserFrom({ uid: 1, name: "me" }),
    };
    place = { kind: "group", bootId: "b", runner: () => new GroupRunner(options) };
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(Object.entries({ ...cases, ...groupCases }))("%s", (_, holds) => holds(place));
});
