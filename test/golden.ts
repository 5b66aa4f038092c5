/**
 * What is kept is held to its golden files: lists of samples, one file for each number that a format ever had. They
 * are written by hand and never anew. Who changes what is written raises the number, keeps the old file, and reads both.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { FailureCode } from "#proto/common/failure.ts";

export interface GoldenFormat<T> {
  /** Below test/fixtures, without `-format-N.json`. */
  readonly file: string;
  readonly format: number;
  /** Of the newest file: the samples as the product makes and writes them today. */
  readonly made: () => readonly T[] | Promise<readonly T[]>;
  /** The product's reader; throws a FailureError, or answers undefined where it takes a newer one for nobody's. */
  readonly read: (kept: unknown) => T | undefined;
  /** How it refuses a newer number. */
  readonly refusal: FailureCode | "nobody's";
}

export function goldenText(file: string): string {
  return readFileSync(new URL(`fixtures/${file}`, import.meta.url), "utf8");
}

function goldenSamples(file: string, format: number): readonly object[] {
  return JSON.parse(goldenText(`${file}-format-${format}.json`)) as readonly object[];
}

export function holdsToGolden<T>(name: string, { file, format, made, read, refusal }: GoldenFormat<T>): void {
  describe(`the format of ${name}`, () => {
    const numbers = Array.from({ length: format }, (_, index) => index + 1);

    it.each(numbers)("is read where its number is %i", (number) => {
      const samples = goldenSamples(file, number);
      expect(samples.length).toBeGreaterThan(0);
      for (const sample of samples) expect(read(sample)).toBeDefined();
    });

    it("is written as under the same number before, and read as what was meant", async () => {
      const samples = goldenSamples(file, format);
      const today = await made();
      expect(pretty(today)).toBe(pretty(samples));
      expect(samples.map(read)).toEqual(today);
    });

    it("is refused where its number is newer, or where it has none", () => {
      for (const sample of goldenSamples(file, format)) {
        if (refusal === "nobody's") {
          for (const other of [format + 1, undefined])
            expect(read({ ...sample, format: other })).toBeUndefined();
          continue;
        }
        const facts = { format: String(format + 1), known: String(format) };
        expect(() => read({ ...sample, format: format + 1 })).toThrow(
          expect.objectContaining({ failure: { code: refusal, facts: expect.objectContaining(facts) } }),
        );
        expect(() => read({ ...sample, format: undefined })).toThrow(
          expect.objectContaining({ failure: expect.objectContaining({ code: refusal }) }),
        );
      }
    });
  });
}

/** Keys in the order in which they are written. */
function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
