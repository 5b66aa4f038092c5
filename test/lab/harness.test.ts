// The lab itself: if a host here does not behave like a host, nothing that the other suites prove is worth anything.
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLab, debianRoot, describeLab, type Host, kernelHasNetem, type Lab } from "./harness/index.ts";

await describeLab("the lab's hosts", () => {
  let lab: Lab;
  let db1: Host;
  let db2: Host;
  let db3: Host;

  beforeAll(async () => {
    const root = await debianRoot({ suite: "bookworm" });
    const before = performance.now();
    lab = await createLab({ name: "harness" });
    [db1, db2, db3] = await Promise.all([
      lab.host({ name: "db1", root, ip: "10.77.0.11" }),
      lab.host({ name: "db2", root, ip: "10.77.0.12" }),
      lab.host({ name: "db3", root, ip: "10.77.0.13" }),
    ]);
    console.log(`three hosts up in ${Math.round(performance.now() - before)} ms`);
  });

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  const reaches = async (from: Host, ip: string): Promise<boolean> =>
    (await from.exec(["ping", "-c", "1", "-W", "1", ip])).code === 0;

  it("boots systemd as process 1 of hosts with their own name, machine id and control groups", async () => {
    const ids = await Promise.all([db1, db2, db3].map((host) => host.must(["cat", "/etc/machine-id"])));
    expect(new Set(ids).size).toBe(3);
    expect((await db2.must(["hostname"])).trim()).toBe("db2");
    expect((await db2.must(["cat", "/proc/1/comm"])).trim()).toBe("systemd");
    const processes = await db1.must(["systemctl", "show", "--property=MainPID", "--value", "dbus.service"]);
    expect(Number(processes)).toBeGreaterThan(1);
  });

  it("stops a unit on one host while one of the same name runs on another", async () => {
    // what is left of the unit is its control group alone: hosts that share groups wait for each other here
    const leaveChild = ["systemd-run", "--unit=twin", "--remain-after-exit", "sh", "-c", "sleep 300 &"];
    for (const host of [db1, db2]) await host.must(leaveChild);
    const before = performance.now();
    await db1.must(["systemctl", "stop", "twin"], { timeoutMs: 20_000 });
    expect(performance.now() - before).toBeLessThan(5_000);
    expect((await db1.exec(["pgrep", "sleep"])).code).toBe(1);
    expect((await db2.exec(["pgrep", "sleep"])).code).toBe(0);
    await db2.must(["systemctl", "stop", "twin"]);
  });

  it("lets hosts reach each other and the coordinator's side, and nothing else", async () => {
    expect(await reaches(db1, "10.77.0.12")).toBe(true);
    expect(await reaches(db3, lab.ip)).toBe(true);
    expect((await db1.exec(["ip", "route", "get", "192.0.2.1"])).code).not.toBe(0);
    expect((await lab.run(["ip", "route", "get", "192.0.2.1"])).code).not.toBe(0);
  });

  it("answers with exit code and both outputs, and ends a command at its limit", async () => {
    const failed = await db1.exec(["sh", "-c", "cat; echo oops >&2; exit 7"], {
      input: "said",
    });
    expect(failed).toEqual({
      code: 7,
      signal: null,
      timedOut: false,
      stdout: "said",
      stderr: "oops\n",
    });
    const endless = await db1.exec(["sleep", "300"], { timeoutMs: 300 });
    expect(endless).toMatchObject({ code: null, timedOut: true });
    expect((await db1.exec(["pgrep", "-f", "sleep 300"])).code).toBe(1);
    expect((await db1.must(["node", "--print", "6 * 7"])).trim()).toBe("42");
  });

  it("keeps files, journal and address over a power-off, and nothing that ran", async () => {
    await db2.write("/var/lib/kept", "here\n", "0640");
    await db2.must(["systemd-run", "--unit=ran", "--remain-after-exit", "true"]);
    const off = performance.now();
    await db2.powerOff();
    expect(db2.isOn).toBe(false);
    expect(await db2.exec(["true"])).toMatchObject({ code: null });
    expect(await reaches(db1, "10.77.0.12")).toBe(false);
    expect(await db2.read("/var/lib/kept")).toBe("here\n");
    await db2.powerOn();
    console.log(`power-off and power-on in ${Math.round(performance.now() - off)} ms`);
    expect((await db2.must(["stat", "-c", "%a", "/var/lib/kept"])).trim()).toBe("640");
    expect(await reaches(db1, "10.77.0.12")).toBe(true);
    expect((await db2.must(["systemctl", "show", "--property=LoadState", "--value", "ran"])).trim()).toBe(
      "not-found",
    );
    expect((await db2.journal({ unit: "ran" })).length).toBeGreaterThan(0);
  });

  it("cuts a host off without stopping it, over a power-off too", async () => {
    await db3.cutNetwork();
    expect(await reaches(db1, "10.77.0.13")).toBe(false);
    expect((await db3.must(["ip", "-4", "-brief", "address", "show", "host0"])).includes("10.77.0.13")).toBe(
      true,
    );
    await db3.powerOff();
    await db3.powerOn();
    expect(await reaches(db1, "10.77.0.13")).toBe(false);
    await db3.joinNetwork();
    // db1's own question for the address may be up to a second old
    await expect.poll(() => reaches(db1, "10.77.0.13"), { timeout: 5_000 }).toBe(true);
  });

  it("delays a line both ways and lets go of it", async (test) => {
    if (!(await kernelHasNetem())) test.skip("this kernel has no netem");
    const roundTripMs = async () => {
      const ping = await db1.must(["ping", "-c", "2", "-i", "0.3", db3.ip]);
      return Number(/min\/avg\/max\/mdev = ([\d.]+)/.exec(ping)?.[1]);
    };
    await db3.netem("delay", "60ms");
    expect(await roundTripMs()).toBeGreaterThan(115);
    await db3.netem();
    expect(await roundTripMs()).toBeLessThan(60);
  });

  it("stops a host's processes all at once and lets them go on", async () => {
    await db3.must([
      "systemd-run",
      "--unit=ticks",
      "sh",
      "-c",
      "while :; do date +%s%N >/run/tick; sleep 0.02; done",
    ]);
    const tick = async () => (await db3.must(["cat", "/run/tick"])).trim();
    await expect.poll(async () => (await db3.exec(["test", "-s", "/run/tick"])).code).toBe(0);
    db3.freeze();
    const first = await db3.exec(["cat", "/run/tick"]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await db3.exec(["cat", "/run/tick"])).toEqual(first);
    expect((await db1.must(["systemctl", "is-system-running"], { timeoutMs: 5_000 })).trim()).toBe("running");
    db3.thaw();
    await expect.poll(tick).not.toBe(first.stdout.trim());
    await db3.must(["systemctl", "stop", "ticks"]);
  });

  it("takes files and folders in with their modes", async () => {
    await db1.copyIn(new URL("./harness", import.meta.url).pathname, "/opt/taken");
    await db1.copyIn(new URL("./harness/run.ts", import.meta.url).pathname, "/opt/one/other-name.ts");
    expect(await db1.read("/opt/taken/run.ts")).toBe(await db1.read("/opt/one/other-name.ts"));
    expect(await db1.read("/opt/taken/nowhere")).toBeNull();
  });

  it("has a file system that is really full", async () => {
    await using disk = { [Symbol.asyncDispose]: () => small.unmount() };
    const small = await db1.smallDisk("/srv/small", 8);
    await small.fill();
    const refused = await db1.exec(["dd", "if=/dev/zero", "of=/srv/small/file", "bs=10k", "count=1"]);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("No space left on device");
    const df = await db1.must(["df", "--output=fstype,pcent", "/srv/small"]);
    expect(df.split("\n")[1]?.trim()).toMatch(/^ext4\s+100%$/);
    await small.empty();
    await db1.must(["dd", "if=/dev/zero", "of=/srv/small/file", "bs=10k", "count=1"]);
    expect(disk).toBeDefined();
  });

  it("runs programs at the coordinator's side and ends them", async () => {
    const server = lab.start(
      ["node", "-e", 'require("net").createServer(s => s.end("hello")).listen(7000)'],
      {
        outputFile: lab.file("server.log"),
      },
    );
    const ask = "exec 3<>/dev/tcp/10.77.0.1/7000 && cat <&3";
    await expect
      .poll(async () => (await db2.exec(["bash", "-c", ask])).stdout, {
        timeout: 5_000,
      })
      .toBe("hello");
    await server[Symbol.asyncDispose]();
    expect(server.isRunning).toBe(false);
  });
});
