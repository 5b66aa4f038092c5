// The wire between a host and the lab's bridge: the end on the bridge's side, found again after each boot.
import { setTimeout as sleep } from "node:timers/promises";
import { mustRun, run } from "./run.ts";

const FIND_LIMIT_MS = 5_000;
const FIND_POLL_MS = 25;

export class Cable {
  readonly #netns: string;
  #isCut = false;
  /** Name of the veth end at the bridge; null while the host is off. */
  #end: string | null = null;

  constructor(netns: string) {
    this.#netns = netns;
  }

  /** Finds the end that belongs to the host's `host0`; a cable that was cut before the power-off is cut again. */
  async plugInto(leader: number): Promise<void> {
    const deadline = performance.now() + FIND_LIMIT_MS;
    while (this.#end === null && performance.now() < deadline) {
      this.#end = await this.#find(leader);
      if (this.#end === null) await sleep(FIND_POLL_MS);
    }
    if (this.#end === null) throw new Error("no veth of this host on the bridge");
    if (this.#isCut) await this.#set("down");
  }

  /** The kernel takes a dead host's veth away in its own time; the next boot must not find it. */
  async forget(): Promise<void> {
    if (this.#end !== null) await run(this.#ip("link", "delete", this.#end));
    this.#end = null;
  }

  async cut(): Promise<void> {
    this.#isCut = true;
    await this.#set("down");
  }

  async join(): Promise<void> {
    this.#isCut = false;
    await this.#set("up");
    await this.#carries();
  }

  async disturb(words: readonly string[], leader: number): Promise<void> {
    const outside = {
      argv: ["nsenter", `--net=/run/netns/${this.#netns}`],
      device: this.#end ?? "",
    };
    const insideHost = {
      argv: ["nsenter", "--target", String(leader), "--net"],
      device: "host0",
    };
    for (const { argv, device } of [outside, insideHost]) {
      if (words.length > 0)
        await mustRun([...argv, "tc", "qdisc", "replace", "dev", device, "root", "netem", ...words]);
      else await run([...argv, "tc", "qdisc", "delete", "dev", device, "root"]);
    }
  }

  async #find(leader: number): Promise<string | null> {
    const host0 = await run([
      "nsenter",
      "--target",
      String(leader),
      "--net",
      "ip",
      "-o",
      "link",
      "show",
      "host0",
    ]);
    const peer = /host0@if(\d+)/.exec(host0.stdout)?.[1];
    const links = await run(this.#ip("-o", "link", "show"));
    const line = links.stdout.split("\n").find((text) => text.startsWith(`${peer}: `));
    return line === undefined ? null : (/^\d+: ([^:@]+)/.exec(line)?.[1] ?? null);
  }

  /** The bridge hears of the link through the kernel's own event queue, up to a second later. */
  async #carries(): Promise<void> {
    const deadline = performance.now() + FIND_LIMIT_MS;
    while (this.#end !== null && performance.now() < deadline) {
      const link = await mustRun(this.#bridge("link", "show", "dev", this.#end));
      if (link.includes("LOWER_UP") && link.includes("state forwarding")) return;
      await sleep(FIND_POLL_MS);
    }
  }

  async #set(state: "up" | "down"): Promise<void> {
    if (this.#end !== null) await mustRun(this.#ip("link", "set", this.#end, state));
  }

  #bridge(...words: readonly string[]): string[] {
    return ["nsenter", `--net=/run/netns/${this.#netns}`, "bridge", ...words];
  }

  #ip(...words: readonly string[]): string[] {
    return ["nsenter", `--net=/run/netns/${this.#netns}`, "ip", ...words];
  }
}
