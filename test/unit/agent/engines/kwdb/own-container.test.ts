/** A container of the operator's own: its mounted certificates are saved. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { kwdbKind } from "#agent/engines/kwdb/index.ts";
import type { AgentEngine, StepResult } from "#agent/verb.ts";
import { fakeHost, lookOf } from "./fake-host.ts";
import { stepContext } from "./step-context.ts";

const secure = ["./kwbase", "start-single-node", "--certs-dir=/certs/node", "--store=/data"];

interface Given {
  readonly command?: readonly string[];
  readonly mounts?: readonly object[];
}

function host({ command = secure, mounts = [] }: Given = {}) {
  const container = {
    ...{ Id: "1", Name: "/db", Image: "sha256:1", Mounts: mounts, HostConfig: {} },
    State: { Status: "exited", Running: false, Pid: 0, StartedAt: "" },
    Config: { Image: "kwdb:3.1.0", Cmd: command },
  };
  const made = fakeHost(([program, ...words]) => {
    if (program === "cp") {
      execFileSync("cp", words);
      return lookOf("");
    }
    return lookOf(JSON.stringify([container]));
  });
  const engine = kwdbKind.create(kwdbKind.settings.parse({ container: "db" })) as AgentEngine;
  const run = (name: string, args: object): Promise<StepResult> | undefined =>
    engine.verbs.find((verb) => verb.name === `kwdb.${name}`)?.run(stepContext(made), args);
  return { host: made, run };
}

describe("the certificates of a container", () => {
  const mounts = [{ Type: "bind", Source: "/srv/certs", Destination: "/certs", RW: false }];

  it("are saved from where they are mounted", async () => {
    const of = host({ mounts });
    const key = of.host.path("/srv/certs/node/node.key");
    mkdirSync(dirname(key), { recursive: true });
    writeFileSync(key, "secret", { mode: 0o600 });
    expect(await of.run("save-configuration", { label: "db1" })).toMatchObject({ result: "done" });
    const saved = join(of.host.stateDir, "saved/db1-r1");
    expect(readFileSync(join(saved, "certificates/node.key"), "utf8")).toBe("secret");
    expect(readFileSync(join(saved, "manifest.json"), "utf8")).toContain("certificates/node.key");
  });

  it("are saved themselves where links lead to them", async () => {
    const of = host({ mounts });
    const made = of.host.path("/srv/2026");
    mkdirSync(made, { recursive: true });
    writeFileSync(join(made, "node-3.key"), "secret");
    symlinkSync("node-3.key", join(made, "node.key"));
    mkdirSync(of.host.path("/srv/certs"));
    symlinkSync(made, of.host.path("/srv/certs/node"));
    expect(await of.run("save-configuration", { label: "db1" })).toMatchObject({ result: "done" });
    const saved = join(of.host.stateDir, "saved/db1-r1/certificates");
    expect(lstatSync(saved).isDirectory() && lstatSync(join(saved, "node.key")).isFile()).toBe(true);
    expect(readFileSync(join(saved, "node.key"), "utf8")).toBe("secret");
  });

  it("refuse what would remove them, where nothing of the host is mounted there", async () => {
    const of = host();
    expect(await of.run("save-configuration", { label: "db1" })).toMatchObject({
      result: "failed",
      failure: { code: "kwdb.container-certificates-inside", facts: { path: "/certs/node" } },
    });
  });

  it("are not looked for where there are none", async () => {
    const of = host({ command: ["./kwbase", "start-single-node", "--insecure"], mounts });
    expect(await of.run("save-configuration", { label: "db1" })).toMatchObject({
      result: "done",
      outputs: { folder: expect.anything() },
    });
    const saved = join(of.host.stateDir, "saved/db1-r1");
    expect(readdirSync(saved)).toContain("docker-inspect.json");
    expect(existsSync(join(saved, "certificates"))).toBe(false);
  });
});
