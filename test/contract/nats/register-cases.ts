/** What every register promises, whatever keeps it. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Register } from "#coordinator/engine/ports.ts";
import type { StoredFormat } from "#coordinator/nats/stored.ts";

const schema = z.object({ format: z.literal(1), name: z.string() });
export type Value = z.infer<typeof schema>;
export const values: StoredFormat<Value> = { format: 1, schema };
export const value = (name: string): Value => ({ format: 1, name });

export function registerCases(where: string, open: () => Promise<Register<Value>>): void {
  describe(`a register ${where}`, () => {
    it("has no record at first, and creates it with revision 0 only once", async () => {
      const register = await open();
      expect(await register.read("账单 1")).toBeUndefined();
      expect(await register.swap("账单 1", value("a"), 0)).toMatchObject({ result: "written" });
      expect(await register.swap("账单 1", value("b"), 0)).toEqual({ result: "lost" });
      expect((await register.read("账单 1"))?.value.name).toBe("a");
    });

    it("lets exactly one of many writers create a record", async () => {
      const register = await open();
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, writer) => register.swap("k", value(`w${writer}`), 0)),
      );
      expect(results.map(({ result }) => result).sort()).toEqual([...Array(19).fill("lost"), "written"]);
      const winner = results.findIndex(({ result }) => result === "written");
      expect((await register.read("k"))?.value.name).toBe(`w${winner}`);
    });

    it("lets exactly one of many writers change a record", async () => {
      const register = await open();
      await register.swap("k", value("first"), 0);
      const { revision } = (await register.read("k")) ?? { revision: -1 };
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, writer) => register.swap("k", value(`w${writer}`), revision)),
      );
      expect(results.map(({ result }) => result).sort()).toEqual([...Array(19).fill("lost"), "written"]);
    });

    it("gives back the revision that the next swap must name", async () => {
      const register = await open();
      const first = await register.swap("k", value("1"), 0);
      if (first.result !== "written") throw new Error("not written");
      expect((await register.read("k"))?.revision).toBe(first.revision);
      expect(await register.swap("k", value("2"), first.revision)).toMatchObject({ result: "written" });
      expect(await register.swap("k", value("3"), first.revision)).toEqual({ result: "lost" });
    });

    it("keeps keys apart: a swap of one neither moves nor loses the other's revision", async () => {
      const register = await open();
      const a = await register.swap("a", value("1"), 0);
      await register.swap("b", value("1"), 0);
      if (a.result !== "written") throw new Error("not written");
      expect(await register.swap("a", value("2"), a.revision)).toMatchObject({ result: "written" });
    });

    it("lists its keys as they were given", async () => {
      const register = await open();
      expect(await register.keys()).toEqual([]);
      await register.swap("数据库 β", value("1"), 0);
      await register.swap("a.b*>", value("1"), 0);
      expect([...(await register.keys())].sort()).toEqual(["a.b*>", "数据库 β"].sort());
    });
  });
}
