/** The stand-in's own deploy.sh rewrites a unit of an early version; an operator's lines in it are looked after. */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DemoHost } from "#test/doubles/host/create-host.ts";
import type { BuiltPackage } from "#test/doubles/kwdb/build-package.ts";
import type { Bench } from "../../kwdb-double/fixture.ts";
import { KwdbDriver } from "./driver.ts";
import { packages } from "./packages.ts";

let bench: Bench;
let old: BuiltPackage;
let next: BuiltPackage;
beforeAll(async () => {
  ({ bench, old, next } = await packages());
});
afterAll(() => bench.end());

const label = { label: "db1-3.0.0-to-3.1.0" };
const unit = "/etc/systemd/system/kaiwudb.service";
const environment = "/etc/kaiwudb/script/kaiwudb_env";

async function upgraded(
  prepare: (host: DemoHost) => void,
  after: (host: DemoHost) => void = () => undefined,
) {
  const host = await bench.host(old);
  const agent = new KwdbDriver(host, bench.dir);
  prepare(host);
  expect(await agent.outcome("save-configuration", label)).toBe("done");
  await bench.deploy(host, next, ["upgrade", "-l"]);
  after(host);
  const result = await agent.run("prove-configuration", label);
  if (result.result !== "done") throw new Error(result.failure.code);
  return result.outputs;
}

const lost = "not-seen.own-configuration";

describe("the configuration after a package change", () => {
  it("is told to be as it was, with the place of the copy", async () => {
    const outputs = await upgraded(() => undefined);
    expect(outputs).toEqual({ saved: expect.stringContaining("/saved/db1-3.0.0-to-3.1.0-r1") });
  });

  it("of an early version is rewritten by the vendor, and that is named as such", async () => {
    const outputs = await upgraded((host) => {
      rmSync(host.path(environment));
      const text = readFileSync(host.path(unit), "utf8");
      const early = text
        .split("\n")
        .filter((line) => !line.startsWith("EnvironmentFile="))
        .join("\n")
        .replace(" $KAIWUDB_START_ARG", "");
      writeFileSync(host.path(unit), `${early}\nLimitCORE=infinity\n`);
    });
    expect(outputs["vendor"]).toContain("$KAIWUDB_START_ARG wired in");
    expect(outputs).not.toHaveProperty(lost);
  });

  it("without an operator's own line is told at the end, with the line and the place of the copy", async () => {
    const outputs = await upgraded(
      (host) => appendFileSync(host.path(unit), "LimitCORE=infinity\n"),
      (host) => {
        const text = readFileSync(host.path(unit), "utf8");
        writeFileSync(host.path(unit), text.replace("LimitCORE=infinity\n", ""));
        rmSync(host.path(environment));
      },
    );
    expect(outputs[lost]).toContain("kaiwudb.service: LimitCORE=infinity");
    expect(outputs[lost]).toContain("kaiwudb_env: the file is gone");
    expect(outputs[lost]).toContain("/saved/db1-3.0.0-to-3.1.0-r1");
  });

  it("that was not saved by this rollout is not said to be as it was", async () => {
    const host = await bench.host(old);
    const agent = new KwdbDriver(host, bench.dir);
    expect(await agent.run("prove-configuration", label)).toMatchObject({
      outputs: { [lost]: expect.stringContaining("there is no copy") },
    });
  });
});
