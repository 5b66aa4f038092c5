/** A service's systemd unit by `systemctl show`: properties, never words made for people. */
import type { Host } from "../verb.ts";

export interface ShownUnit {
  readonly properties: Readonly<Record<string, string>>;
  /** 0: nothing runs. */
  readonly mainPid: number;
}

const lookMs = 10_000;

/** The main process, and those properties beside it; `cause` where systemd does not tell it. */
export async function showUnit(
  host: Host,
  unit: string,
  properties: readonly string[],
): Promise<ShownUnit | { readonly cause: string }> {
  const wanted = ["MainPID", ...properties].join(",");
  const look = await host.look(["systemctl", "show", "-p", wanted, unit], { deadlineMs: lookMs });
  if (look.exitCode !== 0)
    return { cause: look.spawnError ?? (look.timedOut ? "systemctl did not answer" : look.stderr.trim()) };
  const found = keyValues(look.stdout);
  const told = found["MainPID"] ?? "";
  // an empty one is no zero: that would be a proof that it is stopped
  if (!/^\d+$/.test(told)) return { cause: "systemctl told no MainPID" };
  return { properties: found, mainPid: Number(told) };
}

/** `systemctl show` prints key=value; the human output changes between versions and is never read. */
export function keyValues(text: string): Readonly<Record<string, string>> {
  const lines = text.split("\n").filter((line) => line.includes("="));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}
