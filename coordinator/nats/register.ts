/**
 * A register per key on a JetStream KV bucket. Keys are permanent: no TTL, no delete. Reads go to the
 * stream's leader (direct get off), because a lagging follower would answer with an older record.
 */
import type { KV, Kvm } from "@nats-io/kv";
import type { z } from "zod";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { Register, SwapResult, Versioned } from "../engine/ports.ts";
import { causeOf, isLost, unreachable } from "./errors.ts";

export interface BucketOptions {
  readonly bucket: string;
  readonly replicas: number;
  readonly timeoutMs: number;
}

export async function openRegister<T>(
  kvm: Kvm,
  schema: z.ZodType<T>,
  options: BucketOptions,
): Promise<Register<T>> {
  const { bucket, replicas, timeoutMs } = options;
  const kv = await kvm.create(bucket, { replicas, history: 8, allow_direct: false, timeout: timeoutMs });
  return {
    read: (key) => readRecord(kv, schema, key),
    swap: (key, value, expected) => swapRecord(kv, key, value, expected),
    keys: () => listKeys(kv),
  };
}

async function readRecord<T>(kv: KV, schema: z.ZodType<T>, key: string): Promise<Versioned<T> | undefined> {
  const entry = await kv.get(encodeKey(key)).catch((error: unknown) => {
    throw unreachable(error);
  });
  if (entry === null) return undefined;
  if (entry.operation !== "PUT")
    throw unreadable(key, `the key was deleted by something else (${entry.operation})`);
  return { value: parse(schema, key, entry.value), revision: entry.revision };
}

function parse<T>(schema: z.ZodType<T>, key: string, bytes: Uint8Array): T {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw unreadable(key, causeOf(error));
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success)
    throw unreadable(
      key,
      parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
    );
  return parsed.data;
}

function unreadable(key: string, cause: string): FailureError {
  return new FailureError(failure("store.unreadable", { key, cause }));
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

async function listKeys(kv: KV): Promise<readonly string[]> {
  try {
    const keys: string[] = [];
    for await (const key of await kv.keys()) keys.push(decodeKey(key));
    return keys.sort();
  } catch (error) {
    throw unreachable(error);
  }
}

/** Names may hold any letter; NATS keys may not. */
function encodeKey(key: string): string {
  return Buffer.from(key, "utf8").toString("base64url");
}

function decodeKey(key: string): string {
  return Buffer.from(key, "base64url").toString("utf8");
}
