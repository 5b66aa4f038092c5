/**
 * A register per key on a JetStream KV bucket. Keys are permanent: no TTL, no delete. Reads go to the
 * stream's leader (direct get off), because a lagging follower would answer with an older record.
 */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { KV, Kvm } from "@nats-io/kv";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { Register, SwapResult, Versioned } from "../engine/ports.ts";
import { causeOf, isLost, unreachable } from "./errors.ts";
import { readStoredBytes, type StoredFormat, unreadable } from "./stored.ts";
import { subjectCounts } from "./subjects.ts";

export interface BucketOptions {
  readonly bucket: string;
  readonly replicas: number;
  readonly timeoutMs: number;
}

export async function openRegister<T>(
  { kvm, manager }: { readonly kvm: Kvm; readonly manager: JetStreamManager },
  as: StoredFormat<T>,
  options: BucketOptions,
): Promise<Register<T>> {
  const { bucket, replicas, timeoutMs } = options;
  const kv = await kvm.create(bucket, { replicas, history: 8, allow_direct: false, timeout: timeoutMs });
  await refuseForgetful(kv, bucket);
  return {
    read: (key) => readRecord(kv, as, key),
    swap: (key, value, expected) => swapRecord(kv, key, value, expected),
    keys: () => listKeys(manager, bucket),
  };
}

/** A bucket that somebody has made with an expiry would lose a held lock by itself. */
async function refuseForgetful(kv: KV, bucket: string): Promise<void> {
  const { ttl } = await kv.status();
  if (ttl !== 0) throw new FailureError(failure("store.forgets", { bucket, expiryMs: String(ttl) }));
}

async function readRecord<T>(kv: KV, as: StoredFormat<T>, key: string): Promise<Versioned<T> | undefined> {
  const entry = await kv.get(encodeKey(key)).catch((error: unknown) => {
    throw unreachable(error);
  });
  if (entry === null) return undefined;
  if (entry.operation !== "PUT")
    throw unreadable(key, `the key was deleted by something else (${entry.operation})`);
  return { value: readStoredBytes(as, key, entry.value), revision: entry.revision };
}

async function swapRecord<T>(kv: KV, key: string, value: T, expected: number): Promise<SwapResult> {
  try {
    // `put` with 0 means "must not exist"; `create` would go looking for delete markers, `update` refuses 0
    const revision = await kv.put(encodeKey(key), JSON.stringify(value), { previousSeq: expected });
    return { result: "written", revision };
  } catch (error) {
    return isLost(error) ? { result: "lost" } : { result: "unknown", cause: causeOf(error) };
  }
}

async function listKeys(manager: JetStreamManager, bucket: string): Promise<readonly string[]> {
  const prefix = `$KV.${bucket}.`;
  const counts = await subjectCounts(manager, `KV_${bucket}`, `${prefix}>`);
  return [...counts.keys()].map((subject) => decodeKey(subject.slice(prefix.length))).sort();
}

/** Names may hold any letter; NATS keys may not. */
function encodeKey(key: string): string {
  return Buffer.from(key, "utf8").toString("base64url");
}

function decodeKey(key: string): string {
  return Buffer.from(key, "base64url").toString("utf8");
}
