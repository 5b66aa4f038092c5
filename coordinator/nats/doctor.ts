/** Is the ground firm: what the NATS server can promise, and what only looks as if it could. */
import { jetstreamManager } from "@nats-io/jetstream";
import type { CheckResult } from "../domain/check.ts";
import { causeOf } from "./errors.ts";
import type { NatsStore } from "./store.ts";

export interface DoctorMeans {
  readonly store: NatsStore;
  readonly replicas: number;
  readonly embedded: boolean;
  readonly doubled: readonly string[];
}

const floor = [2, 11] as const;

export async function examine({
  store,
  replicas,
  embedded,
  doubled,
}: DoctorMeans): Promise<readonly CheckResult[]> {
  const version = store.connection.info?.version ?? "";
  return [
    check("nats.version", isAtLeast(version, floor), { version, floor: floor.join(".") }),
    {
      ...check("nats.replicas", replicas >= 3, { replicas: String(replicas), embedded: String(embedded) }),
      status: replicas >= 3 ? "ok" : "warn",
    },
    await answers(store),
    check("agents.one-name-once", doubled.length === 0, { nodes: doubled.join(", ") }),
  ];
}

async function answers(store: NatsStore): Promise<CheckResult> {
  try {
    const manager = await jetstreamManager(store.connection, { timeout: 2_000 });
    const { streams } = await manager.getAccountInfo();
    return check("nats.jetstream", true, { streams: String(streams) });
  } catch (error) {
    return {
      ...check("nats.jetstream", false, {}),
      status: "unknown",
      reason: { code: "store.unreachable", facts: { cause: causeOf(error) } },
    };
  }
}

function check(id: string, fine: boolean, facts: CheckResult["facts"]): CheckResult {
  return { id, status: fine ? "ok" : "ko", facts, yields: "never" };
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [found = 0, next = 0] = version.split(".").map(Number);
  return found > major || (found === major && next >= minor);
}
