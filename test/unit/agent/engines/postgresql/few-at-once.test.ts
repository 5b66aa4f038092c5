/** Work on many databases: a few at once, and none goes on after it has ended. */
import { expect, it } from "vitest";
import { fewAtOnce } from "#agent/engines/postgresql/each-database.ts";

const names = Array.from({ length: 10 }, (_, index) => `db${index}`);
const soon = () => new Promise((resolve) => setImmediate(resolve));

it("is done by four at once, and gives what each has found", async () => {
  let [running, most] = [0, 0];
  const found = await fewAtOnce(names, async (name) => {
    most = Math.max(most, ++running);
    await soon();
    running--;
    return `of ${name}`;
  });
  expect(most).toBe(4);
  expect(names.map((name) => found[name])).toEqual(names.map((name) => `of ${name}`));
});

it("waits for those that were begun where one fails, and begins no more", async () => {
  let [begun, ended] = [0, 0];
  const work = async (name: string) => {
    begun++;
    if (name === "db0") throw new Error("db0 is not there");
    await soon();
    ended++;
  };
  await expect(fewAtOnce(names, work)).rejects.toThrow("db0 is not there");
  expect([begun, ended]).toEqual([4, 3]);
});
