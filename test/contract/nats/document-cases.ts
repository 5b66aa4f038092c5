/** What every document store promises, whatever keeps it. */
import { describe, expect, it } from "vitest";
import type { DocumentStore } from "#coordinator/engine/ports.ts";

export function documentCases(where: string, open: () => Promise<DocumentStore>): void {
  describe(`a document store ${where}`, () => {
    it("gives back what was put, larger than any message may be", async () => {
      const store = await open();
      const document = { rows: Array.from({ length: 60_000 }, (_, row) => ({ row, host: `数据库 ${row}` })) };
      await store.put("snapshots/1", document);
      expect(await store.get("snapshots/1")).toEqual(document);
      expect(await store.get("snapshots/2")).toBeUndefined();
    });

    it("replaces a document", async () => {
      const store = await open();
      await store.put("a", { version: 1 });
      await store.put("a", { version: 2 });
      expect(await store.get("a")).toEqual({ version: 2 });
      expect(await store.list("")).toHaveLength(1);
    });

    it("lists by prefix, with size and time, and not what was removed", async () => {
      const store = await open();
      for (const name of ["snapshots/1", "snapshots/2", "plans/1"]) await store.put(name, { name });
      await store.remove("snapshots/1");
      const [only, ...others] = await store.list("snapshots/");
      expect(others).toEqual([]);
      expect(only).toMatchObject({
        name: "snapshots/2",
        bytes: JSON.stringify({ name: "snapshots/2" }).length,
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
