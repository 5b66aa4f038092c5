// A little program on the host itself that follows the agent's journal: it kills the agent at boundaries, or holds it
// still at named ones until told to go on. What it waits for is on the disk when it strikes, a few ms before.
import { type Host, until } from "../harness/index.ts";

const place = "/root/agent-watch";
const unit = "lab-agent-watch";
const limitMs = 180_000;

/** `node agent-watch.mjs kill LANE LANES`, `… kill-at LABEL…` or `node agent-watch.mjs hold LABEL…`. Numbers of phases: proto StepPhase. */
const program = `
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
const [what, ...words] = process.argv.slice(2);
const place = "${place}";
const journal = "/var/lib/lockkeeper-agent/journal";
const phases = { 1: "started", 3: "done", 4: "done" };
const lines = (file) => (existsSync(file) ? readFileSync(file, "utf8").split("\\n").filter((line) => line !== "") : []);
const known = lines(place + "/known");
const seen = new Set();
const tools = new Map();
function labelOf(record) {
  if (record.kind === "accepted") return record.program.stage + " accepted";
  if (record.kind === "tool-intended" && record.ref.part === "run") {
    tools.set(record.name, record.ref.step + " tool " + record.ref.index);
    return tools.get(record.name) + " begins";
  }
  if (record.kind === "tool-ended") return tools.has(record.name) ? tools.get(record.name) + " ended" : undefined;
  if (record.kind === "step") return phases[record.phase] === undefined ? undefined : record.step + " " + phases[record.phase];
  return record.kind === "entered" || record.kind === "ended" ? record.stage + " " + record.kind : undefined;
}
function records() {
  const found = [];
  for (const line of lines(journal)) try { found.push(...JSON.parse(line.slice(9))); } catch {}
  return found;
}
function agents() {
  return readdirSync("/proc").filter((pid) => {
    if (!/^[0-9]+$/.test(pid)) return false;
    try { return readFileSync("/proc/" + pid + "/cmdline", "utf8").includes("lockkeeper-agent\\0run\\0"); } catch { return false; }
  }).map(Number);
}
function strike(signal) {
  const struck = agents();
  for (const pid of struck) try { process.kill(pid, signal); } catch {}
  return struck.length > 0;
}
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function kill(label) {
  if (!known.includes(label)) { known.push(label); appendFileSync(place + "/known", label + "\\n"); }
  const [lane, lanes] = words.map(Number);
  if (what === "kill-at" ? !words.includes(label) : known.indexOf(label) % lanes !== lane) return;
  for (let tries = 0; tries < 200 && !strike("SIGKILL"); tries++) await sleep(20);
  appendFileSync(place + "/deeds", label + "\\n");
}
async function hold(label) {
  if (!words.includes(label)) return;
  strike("SIGSTOP");
  appendFileSync(place + "/held", label + "\\n");
  while (!lines(place + "/let-go").includes(label)) await sleep(5);
  strike("SIGCONT");
}
let last = Math.max(-1, ...records().map(({ n }) => n));
let size = -1;
writeFileSync(place + "/ready", "");
for (;;) {
  let now = -1;
  try { now = statSync(journal).size; } catch {}
  if (now === size) { await sleep(2); continue; }
  size = now;
  for (const record of records()) {
    if (record.n <= last) continue;
    last = record.n;
    const label = labelOf(record);
    if (label === undefined || seen.has(label)) continue;
    seen.add(label);
    await (what === "hold" ? hold(label) : kill(label));
  }
}
`;

export class AgentWatch implements AsyncDisposable {
  readonly #host: Host;

  private constructor(host: Host) {
    this.#host = host;
  }

  /** Kills the agent at every boundary whose number, in the order they were first met on this host, is of the lane. */
  static killing(host: Host, lane: number, lanes: number): Promise<AgentWatch> {
    return AgentWatch.#begin(host, ["kill", String(lane), String(lanes)]);
  }

  /** Kills the agent at each of these boundaries. */
  static killingAt(host: Host, labels: readonly string[]): Promise<AgentWatch> {
    return AgentWatch.#begin(host, ["kill-at", ...labels]);
  }

  /** Holds the agent still at each of these boundaries, until it is let go. */
  static holding(host: Host, labels: readonly string[]): Promise<AgentWatch> {
    return AgentWatch.#begin(host, ["hold", ...labels]);
  }

  static async #begin(host: Host, words: readonly string[]): Promise<AgentWatch> {
    await host.write(`${place}/agent-watch.mjs`, program);
    await host.must(["sh", "-c", `cd ${place}; rm -f deeds held let-go ready`]);
    const start = ["systemd-run", "--quiet", "--collect", `--unit=${unit}`, "node"];
    await host.must([...start, `${place}/agent-watch.mjs`, ...words]);
    await until(
      "the agent's journal is watched",
      async () => (await host.read(`${place}/ready`)) !== null,
      60_000,
    );
    return new AgentWatch(host);
  }

  /** Every boundary that was met on this host, in their order, by all its watches so far. */
  known(): Promise<readonly string[]> {
    return this.#lines("known");
  }

  /** Where the agent was killed. */
  deeds(): Promise<readonly string[]> {
    return this.#lines("deeds");
  }

  /** Waits until the agent is held there. */
  held(label: string): Promise<void> {
    return until(`held at ${label}`, async () => (await this.#lines("held")).includes(label), limitMs);
  }

  async letGo(label: string): Promise<void> {
    await this.#host.must(["sh", "-c", `echo "$1" >>${place}/let-go`, "let-go", label]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host.exec(["systemctl", "stop", unit]);
  }

  async #lines(name: string): Promise<readonly string[]> {
    const text = (await this.#host.read(`${place}/${name}`)) ?? "";
    return text.split("\n").filter((line) => line !== "");
  }
}
