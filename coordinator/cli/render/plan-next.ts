/** What to type after a plan was written: the whole command, with a flag for each word that the plan asks for. */
import type { CheckResult } from "../../domain/check.ts";
import { checkCommand } from "../../domain/check-command.ts";
import type { Plan } from "../../domain/plan.ts";

/** Where a check refuses for which no acknowledgement can stand in, apply would refuse too: that is looked at first. */
export function nextAfterPlan(plan: Plan, file: string): string {
  const refusing = refusedBy(plan);
  if (refusing.length > 0) {
    const ids = [...new Set(refusing.map(({ id }) => id))].join(", ");
    return `apply would refuse it (${ids}); next: ${checkCommand(plan)}`;
  }
  const acks = plan.asks.flatMap((check) => ["--ack", check]);
  const reason = acks.length === 0 ? [] : ["--reason", '"…"'];
  return `next: ${["lockkeeper apply", quoted(file), ...acks, ...reason].join(" ")}`;
}

/** Checks for which the words that the plan asks for are not enough. */
export function refusedBy({ checks, asks }: Plan): readonly CheckResult[] {
  return checks.filter((check) => refuses(check, asks));
}

function refuses({ id, status }: CheckResult, asks: readonly string[]): boolean {
  return status === "ko" || (status === "unknown" && !asks.includes(id));
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w./:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
