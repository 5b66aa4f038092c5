import { readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { serve, start, type } from "./serving.ts";

const limitMs = 30_000;
const never = new Promise<never>(() => undefined);

describe("a command that a signal ends", () => {
  it.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("%s while the coordinator is silent: ends soon, says so, and with %i", async (signal, code) => {
    const address = await serve({ locks: () => never });
    const { child, said, code: ended } = type("lock", "list", "--coordinator", address);
    await expect.poll(said, { timeout: limitMs }).toContain("waiting for the coordinator");
    child.kill(signal);
    const late = setTimeout(() => child.kill("SIGKILL"), 5_000);
    expect(await ended).toBe(code);
    clearTimeout(late);
    expect(said()).toContain("what the coordinator was asked to do, it may do all the same");
  });

  it("SIGTERM while a rollout is followed: says that it goes on, and how to see it again", async () => {
    const view = { id: "r-1", phase: "running", lastSequence: 1 };
    let found: () => void = () => undefined;
    const finding = new Promise<void>((resolve) => (found = resolve));
    const address = await serve({
      rollout: async () => ({ ok: true, value: view }) as never,
      watch: async function* () {
        found();
        yield await never;
      } as never,
    });
    const { child, said, code } = type("watch", "orders", "--coordinator", address);
    await finding;
    // as `timeout` does
    for (const signal of ["SIGTERM", "SIGTERM"] as const) child.kill(signal);
    expect(await code).toBe(143);
    expect(said()).toBe("detached; the rollout goes on. Again: lockkeeper watch r-1\n");
  });

  it.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("a demo at %s ends what it has started, says so, and with %i", async (signal, code) => {
    const { child, said, code: ended } = start("test/contract/coordinator/tiny-demo.ts");
    await expect.poll(said, { timeout: limitMs }).toMatch(/process \d+ in \S+\n/);
    const [, pid = "", folder = ""] = /process (\d+) in (\S+)\n/.exec(said()) ?? [];
    child.kill(signal);
    expect(await ended).toBe(code);
    expect(said()).toContain("the demo was ended: its processes are gone, and its folder too");
    await expect(readdir(`/proc/${pid}`)).rejects.toThrow("ENOENT");
    await expect(readdir(folder)).rejects.toThrow("ENOENT");
  });
});
