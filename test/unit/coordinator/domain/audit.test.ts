import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AuditEntry, brokenAt, nextEntry } from "#coordinator/domain/audit.ts";

const hash = (text: string) => createHash("sha256").update(text).digest("hex");
const deed = (subject: string) => ({
  at: "t",
  who: "w",
  deed: "apply",
  subject,
  reason: "",
  facts: { a: "1" },
});

function chain(length: number): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (let index = 0; index < length; index += 1)
    entries.push(nextEntry(entries.at(-1), deed(String(index)), hash));
  return entries;
}

describe("audit chain", () => {
  it("holds as written, from any point on", () => {
    expect(brokenAt(chain(5), hash)).toBeUndefined();
    expect(brokenAt(chain(5).slice(2), hash)).toBeUndefined();
    expect(brokenAt([], hash)).toBeUndefined();
  });

  it("any changed word breaks it at that entry or the next", () => {
    const fields = ["at", "who", "deed", "subject", "reason", "previous", "hash"] as const;
    fc.assert(
      fc.property(
        fc.nat(4),
        fc.constantFrom(...fields),
        fc.string({ minLength: 1 }),
        (place, field, text) => {
          const entries = chain(6);
          const entry = entries[place];
          if (entry === undefined || entry[field] === text) return;
          entries[place] = { ...entry, [field]: text };
          const broken = brokenAt(entries, hash);
          // the first entry of an excerpt has nobody before it to answer for its `previous`
          expect(broken).toBeGreaterThanOrEqual(place + 1);
          expect(broken).toBeLessThanOrEqual(place + 2);
        },
      ),
    );
  });

  it("changed facts break it; their order does not", () => {
    const entries = chain(3);
    const [first, second, third] = entries as [AuditEntry, AuditEntry, AuditEntry];
    expect(brokenAt([first, { ...second, facts: { a: "2" } }, third], hash)).toBe(2);
    const ordered = nextEntry(first, { ...deed("x"), facts: { a: "1", b: "2" } }, hash);
    expect(brokenAt([first, { ...ordered, facts: { b: "2", a: "1" } }], hash)).toBeUndefined();
  });

  it("a missing, repeated or exchanged entry breaks it", () => {
    const [first, second, third] = chain(3) as [AuditEntry, AuditEntry, AuditEntry];
    expect(brokenAt([first, third], hash)).toBe(3);
    expect(brokenAt([first, first, second], hash)).toBe(1);
    expect(brokenAt([second, first], hash)).toBe(1);
  });
});
