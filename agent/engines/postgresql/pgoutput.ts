/**
 * Messages of pgoutput in its first protocol, as far as they tell which rows of which tables were changed, and whether they came by
 * replication. Pure.
 */

/** What became of rows; of `truncated` the tables are counted, since no row of theirs is told. */
export type Deed = "inserted" | "updated" | "deleted" | "truncated";

export type PgoutputMessage =
  /** Its transaction was committed at this place in the WAL, and `atMs` since the epoch. */
  | { readonly kind: "begin"; readonly at: bigint; readonly atMs: number }
  /** Its transaction was applied by replication: the name of the origin on the server that was asked. */
  | { readonly kind: "origin"; readonly name: string }
  | { readonly kind: "relation"; readonly id: number; readonly table: string }
  | { readonly kind: "change"; readonly deed: Deed; readonly relations: readonly number[] }
  | { readonly kind: "other" };

const deeds: Readonly<Record<string, Exclude<Deed, "truncated">>> = {
  I: "inserted",
  U: "updated",
  D: "deleted",
};
/** Types of columns, messages of applications, and the end of a transaction. */
const others: ReadonlySet<string> = new Set(["C", "M", "Y"]);
/** The server's own clock counts from 2000 on. */
const serverEpochMs = Date.UTC(2000, 0, 1);

/**
 * Of a change its first five bytes suffice. Undefined for what the first protocol does not know, or is cut short: what it says is not
 * known then, and must not pass for nothing.
 */
export function readPgoutput(bytes: Buffer): PgoutputMessage | undefined {
  try {
    return read(bytes);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function read(bytes: Buffer): PgoutputMessage | undefined {
  const letter = String.fromCharCode(bytes.readUInt8(0));
  const deed = deeds[letter];
  if (deed !== undefined) return { kind: "change", deed, relations: [bytes.readUInt32BE(1)] };
  switch (letter) {
    case "B":
      return {
        kind: "begin",
        at: bytes.readBigUInt64BE(1),
        atMs: serverEpochMs + Number(bytes.readBigInt64BE(9) / 1_000n),
      };
    case "O":
      return { kind: "origin", name: textAt(bytes, 9).text };
    case "R": {
      const schema = textAt(bytes, 5);
      const name = textAt(bytes, schema.end);
      const parts = schema.text === "" ? ["pg_catalog", name.text] : [schema.text, name.text];
      return { kind: "relation", id: bytes.readUInt32BE(1), table: parts.map(shown).join(".") };
    }
    case "T": {
      const relations = Array.from({ length: bytes.readUInt32BE(1) }, (_, index) =>
        bytes.readUInt32BE(6 + 4 * index),
      );
      return { kind: "change", deed: "truncated", relations };
    }
    default:
      return others.has(letter) ? { kind: "other" } : undefined;
  }
}

/** Up to the byte of zero that ends it. */
function textAt(bytes: Buffer, from: number): { readonly text: string; readonly end: number } {
  const zero = bytes.indexOf(0, from);
  if (zero === -1) throw new RangeError("the text has no end");
  return { text: bytes.toString("utf8", from, zero), end: zero + 1 };
}

function shown(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** As the server writes a place in its WAL: two numbers of 32 bits. */
export function placeOf(lsn: string): bigint {
  const [high = "", low = ""] = lsn.split("/");
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

export interface RowsChanged {
  /** By table. */
  readonly tables: Readonly<Record<string, Readonly<Partial<Record<Deed, number>>>>>;
  /** When the first of these transactions was committed; absent where there is none. */
  readonly firstAtMs?: number;
}

/**
 * Counts, message by message, what was changed by transactions that were committed at `from` or later and came by no origin, or by one
 * that is none of `expected`. As many numbers are kept as there are tables.
 */
export function changesBeside(
  expected: ReadonlySet<string>,
  from = 0n,
): {
  /** False: it could not be read. */
  take(message: Buffer): boolean;
  found(): RowsChanged;
} {
  const names = new Map<number, string>();
  const tables = new Map<string, Partial<Record<Deed, number>>>();
  let [atMs, isBefore, isExpected, firstAtMs] = [0, false, false, Number.POSITIVE_INFINITY];
  const count = (deed: Deed, relation: number): boolean => {
    const table = names.get(relation);
    if (table === undefined) return false;
    const before = tables.get(table) ?? {};
    tables.set(table, { ...before, [deed]: (before[deed] ?? 0) + 1 });
    firstAtMs = Math.min(firstAtMs, atMs);
    return true;
  };
  return {
    take: (bytes) => {
      const message = readPgoutput(bytes);
      switch (message?.kind) {
        case undefined:
          return false;
        case "begin":
          [atMs, isBefore, isExpected] = [message.atMs, message.at < from, false];
          return true;
        case "origin":
          isExpected = expected.has(message.name);
          return true;
        case "relation":
          names.set(message.id, message.table);
          return true;
        case "change": {
          const { deed, relations } = message;
          return isBefore || isExpected || relations.every((relation) => count(deed, relation));
        }
        case "other":
          return true;
      }
    },
    found: () => ({
      tables: Object.fromEntries([...tables].sort(([one], [other]) => (one < other ? -1 : 1))),
      ...(firstAtMs === Number.POSITIVE_INFINITY ? {} : { firstAtMs }),
    }),
  };
}
