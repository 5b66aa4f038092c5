/** What every document store promises, whatever keeps it. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { DocumentStore } from "#coordinator/engine/ports.ts";
import type { StoredFormat } from "#coordinator/nats/stored.ts";

export type Sheet = Readonly<Record<string, unknown>> & { readonly format: 1 };
export const sheets: StoredFormat<Sheet> = { format: 1, schema: z.looseObject({ format: z.literal(1) }) };

export function documentCases(where: string, open: () => Promise<DocumentStore<Sheet>>): void {
  describe(`a document store ${where}`, () => {
    it("gives back what was put, larger than any message may be", async () => {
      const store = await open();
      const document: Sheet = {
        format: 1,
        rows: Array.from({ length: 60_000 }, (_, row) => ({ row, host: `数据库 ${row}` })),
      };
      await store.put("snapshots/1", document);
      expect(await store.get("snapshots/1")).toEqual(document);
      expect(await store.get("snapshots/2")).toBeUndefined();
    });

    it("replaces a document", async () => {
      const store = await open();
      await store.put("a", { format: 1, version: 1 });
      await store.put("a", { format: 1, version: 2 });
      expect(await store.get("a")).toEqual({ format: 1, version: 2 });
      expect(await store.list("")).toHaveLength(1);
    });

    it("lists by prefix, with size and time, and not what was removed", async () => {
      const store = await open();
      for (const name of ["snapshots/1", "snapshots/2", "plans/1"])
        await store.put(name, { format: 1, name });
      await store.remove("snapshots/1");
      const [only, ...others] = await store.list("snapshots/");
      expect(others).toEqual([]);
      expect(only).toMatchObject({
        name: "snapshots/2",
        bytes: JSON.stringify({ format: 1, name: "snapshots/2" }).length,
      });
      expect(Math.abs((only?.storedAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
      expect(await store.get("snapshots/1")).toBeUndefined();
    });

    it("lists nothing when there is nothing", async () => {
      const store = await open();
      expect(await store.list("")).toEqual([]);
      await store.remove("never there");
    });
  });
}
