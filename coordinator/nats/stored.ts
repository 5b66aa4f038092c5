/** How what is kept in NATS is read: its number first, then its shape. Nothing is guessed, nothing counts as absent. */
import type { z } from "zod";
import { FailureError, failure } from "#proto/common/failure.ts";
import { unknownFormat } from "#proto/common/format.ts";
import { causeOf } from "./errors.ts";

export interface Numbered {
  readonly kept: unknown;
  /** The newest number that this coordinator reads. */
  readonly format: number;
}

export interface StoredFormat<T> {
  /** The newest number; older ones are read for ever. */
  readonly format: number;
  readonly schema: z.ZodType<T>;
  /** What is kept inside it under numbers of its own. */
  readonly inside?: (value: T) => readonly Numbered[];
}

/** Throws FailureError `store.format-unknown` or `store.unreadable`. */
export function readStored<T>({ format, schema, inside }: StoredFormat<T>, name: string, kept: unknown): T {
  refuseUnknown(name, { kept, format });
  const parsed = schema.safeParse(kept);
  if (!parsed.success)
    throw unreadable(
      name,
      parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
    );
  for (const inner of inside?.(parsed.data) ?? []) refuseUnknown(name, inner);
  return parsed.data;
}

/** The same from bytes. */
export function readStoredBytes<T>(as: StoredFormat<T>, name: string, bytes: Uint8Array): T {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw unreadable(name, causeOf(error));
  }
  return readStored(as, name, json);
}

export function unreadable(name: string, cause: string): FailureError {
  return new FailureError(failure("store.unreadable", { key: name, cause }));
}

function refuseUnknown(name: string, { kept, format }: Numbered): void {
  const unknown = unknownFormat(kept, format);
  if (unknown !== undefined)
    throw new FailureError(failure("store.format-unknown", { key: name, ...unknown }));
}
