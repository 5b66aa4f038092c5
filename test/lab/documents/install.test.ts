// The README's lines for root, typed as they stand on a host: coordinator and agent become services that answer.
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { elsewhere } from "#test/contract/documents/elsewhere.ts";
import { fencesOf, pages, repository, typed } from "#test/contract/documents/page.ts";
import { natsBinary } from "#test/contract/nats/server.ts";
import { createLab, debianRoot, describeLab, type Host, type Lab } from "../harness/index.ts";

const readme = "README.md";
/** Lines that the README wants a person to have done, or that belong to the packages of the database. */
const notHere = /^(make |.*kaiwudb)/;

await describeLab("an installation by the README", () => {
  let lab: Lab;
  let host: Host;

  beforeAll(async () => {
    lab = await createLab({ name: "readme" });
    host = await lab.host({ name: "one", root: await debianRoot({ suite: "bookworm" }), ip: "10.77.0.11" });
    await host.must(["mkdir", "-p", "/root/lockkeeper/deploy"]);
    await host.copyIn(repository("dist"), "/root/lockkeeper/dist");
    await host.copyIn(repository("deploy"), "/root/lockkeeper/deploy");
    await host.write("/usr/bin/nats-server", await readFile(natsBinary()), "0755");
    // the second host of the README is this one too
    for (const file of ["dist/lockkeeper-agent", "deploy/systemd/lockkeeper-agent.service"])
      await host.write(
        `/root/lockkeeper/${file.split("/").at(-1)}`,
        await readFile(repository(file)),
        "0755",
      );
  });

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  it("ends with two services that are up, and a coordinator that leads", async () => {
    for (const { page, language, text, line } of pages.flatMap(fencesOf)) {
      if (page !== readme) continue;
      if (language === "yaml") await writeFile(text);
      if (language !== "sh") continue;
      const lines = typed.filter(({ place, text: command }) => isOf(place, line, text) && isForRoot(command));
      for (const { text: command } of lines) await type(command);
    }
    await expect.poll(() => state("lockkeeper"), { timeout: 20_000 }).toBe("active");
    await expect.poll(() => state("lockkeeper-agent"), { timeout: 20_000 }).toBe("active");
    await expect
      .poll(async () => (await host.exec(["lockkeeper", "doctor"])).stdout, {
        timeout: 60_000,
        interval: 1_000,
      })
      .toContain("JetStream answers");
    const owner = await host.must(["stat", "-c", "%U", "/var/lib/lockkeeper"]);
    expect(owner.trim()).toBe("lockkeeper");
  });

  it("shows what operations.md tells root to look at", async () => {
    for (const { command } of elsewhere.filter(({ command: each }) =>
      /^(systemctl status|journalctl)/.test(each),
    )) {
      if (!notHere.test(command)) await type(command);
    }
    const status = await host.must(["lockkeeper-agent", "status"]);
    expect(status).toContain("db1 (kwdb)");
  });

  async function type(command: string): Promise<void> {
    const ended = await host.exec(["sh", "-c", `cd /root/lockkeeper && ${command}`], { timeoutMs: 60_000 });
    expect(ended.code, `${command}\n${ended.stdout}${ended.stderr}`).toBe(0);
  }

  /** A file of the README, where the README says it stands; loopback, as this host is alone. */
  async function writeFile(text: string): Promise<void> {
    const kind = /^# schema: (\w+)/.exec(text)?.[1];
    if (kind === "inventory" || kind === undefined) return;
    await host.write(`/etc/lockkeeper/${kind}.yaml`, text.replaceAll("10.0.0.5", "127.0.0.1"));
  }

  async function state(unit: string): Promise<string> {
    return (await host.exec(["systemctl", "is-active", unit])).stdout.trim();
  }
});

function isForRoot(command: string): boolean {
  return !notHere.test(command) && elsewhere.some((each) => each.command === command);
}

/** Is this place within the fence that begins at this line of the README? */
function isOf(place: string, begins: number, text: string): boolean {
  const [page, line] = place.split(":");
  const at = Number(line);
  return page === readme && at > begins && at <= begins + text.split("\n").length;
}
