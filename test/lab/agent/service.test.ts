// The agent as a unit of a real host: restarted, killed, hung, and the host switched off, all in mid step.
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { programFile } from "../../../deploy/program-file.ts";
import { createLab, debianRoot, describeLab, type Host, type Lab } from "../harness/index.ts";

const here = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

await describeLab("an agent that is a systemd unit", () => {
  let lab: Lab;
  let db1: Host;
  let rollouts = 0;

  beforeAll(async () => {
    const out = await mkdtemp(join(tmpdir(), "lockkeeper-service-"));
    await programFile(here("../../flow/agent/harness/paper-agent.ts"), join(out, "agent.mjs"));
    await programFile(here("./drive.ts"), join(out, "drive.mjs"));
    lab = await createLab({ name: "service" });
    db1 = await lab.host({ name: "db1", root: await debianRoot({ suite: "bookworm" }), ip: "10.77.0.11" });
    await db1.write("/usr/lib/lockkeeper/agent.mjs", await readFile(join(out, "agent.mjs")), "0755");
    await db1.write(
      "/usr/bin/lockkeeper-agent",
      '#!/bin/sh\nexec node /usr/lib/lockkeeper/agent.mjs "$@"\n',
      "0755",
    );
    await db1.write("/opt/drive.mjs", await readFile(join(out, "drive.mjs")));
    const unit = await readFile(here("../../../deploy/systemd/lockkeeper-agent.service"));
    await db1.write("/etc/systemd/system/lockkeeper-agent.service", unit);
    await db1.write("/etc/systemd/system/lockkeeper-agent.service.d/lab.conf", "[Service]\nWatchdogSec=3\n");
    const config =
      "node: db1\ncoordinators: [127.0.0.1:7440]\nstateDir: /var/lib/lockkeeper-agent\nengine: { kind: paper, settings: {} }\n";
    await db1.write("/etc/lockkeeper/agent.yaml", config);
    await db1.must(["systemctl", "daemon-reload"]);
  });

  beforeEach(async () => {
    await db1.exec(["systemctl", "stop", "lockkeeper-agent"]);
    await db1.must(["rm", "-rf", "/data", "/var/lib/lockkeeper-agent"]);
    await db1.must(["mkdir", "/data"]);
    rollouts += 1;
  });

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  async function play(scene: string): Promise<void> {
    const ended = await db1.exec(["node", "/opt/drive.mjs", scene, `r${rollouts}`], { timeoutMs: 90_000 });
    const log =
      ended.code === 0
        ? ""
        : await db1.must(["journalctl", "-u", "lockkeeper-agent", "-n", "40", "--no-pager"]);
    expect(ended.code, ended.stdout + ended.stderr + log).toBe(0);
  }

  it.each(["restarted", "killed", "hung"])("goes on with its step when it is %s", play);

  it("starts nothing again after the host was switched off in mid step, and says why it stopped", async () => {
    await play("before the plug is pulled");
    await db1.powerOff();
    await db1.powerOn();
    await play("after the plug was pulled");
  });

  it("gives its lines to the journal with their priorities", async () => {
    await db1.must(["systemctl", "start", "lockkeeper-agent"]);
    const entries = await db1.journal({ unit: "lockkeeper-agent.service" });
    expect(new Set(entries.map(({ fields }) => fields["PRIORITY"])).has("6")).toBe(true);
    expect(entries.some(({ message }) => message.startsWith("<"))).toBe(false);
  });
});
