// What a person does when a rollout has stopped: reads why, mends what it names, and types the command that is printed.
import type { RunResult } from "../harness/index.ts";
import type { ProductFleet } from "./product.ts";

const limitMs = 400_000;

/** `why` as it is printed, and the command in it. */
export async function whyOf(
  fleet: ProductFleet,
): Promise<{ readonly text: string; readonly command: readonly string[] }> {
  await fleet.untilAttached();
  const text = await fleet.must("why", fleet.clusterName);
  const [, command = ""] = /command: lockkeeper (.+)$/m.exec(text) ?? [];
  if (command === "") throw new Error(`no command is printed: ${text}`);
  return { text, command: command.trim().split(/\s+/) };
}

export async function typePrinted(fleet: ProductFleet): Promise<RunResult> {
  const { command } = await whyOf(fleet);
  return fleet.longCli(limitMs, ...command);
}
