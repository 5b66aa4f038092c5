/** No coordinator at the other end: what the person is told, who must know whether an order was given. */
import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { serve } from "./serving.ts";
import { typed } from "./typed.ts";

const dead = "127.0.0.1:1";

async function mute(): Promise<string> {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const bound = server.address();
  return `127.0.0.1:${typeof bound === "object" ? bound?.port : 0}`;
}

describe("without a coordinator", () => {
  it.each([["approve", "orders"], ["abort", "orders"], ["status"]])(
    "%s %s says that nothing was asked",
    async (...words) => {
      const { code, err } = await typed([...words, "--coordinator", dead]);
      expect(err.split("\n")[0]).toBe(
        `lockkeeper: no coordinator answers at ${dead}: nothing listens there (the request did not reach it)`,
      );
      expect(code).toBe(11);
    },
  );

  it("a program gets the same cause, without the words of the library", async () => {
    const { err } = await typed(["status", "-o", "json", "--coordinator", dead]);
    expect(JSON.parse(err).failure.facts).toEqual({
      address: dead,
      cause: "nothing listens there",
      sent: "the request did not reach it",
    });
  });

  it("a port that takes the connection and says nothing is left within seconds, for the next address", async () => {
    const address = await mute();
    const beganMs = performance.now();
    const { code, err } = await typed(["lock", "list", "--coordinator", address]);
    expect(performance.now() - beganMs).toBeLessThan(8_000);
    expect(err).toContain(`${address}: nothing came back within 5.0s; is it a coordinator's port?`);
    expect(code).toBe(11);
    const alive = await serve({ locks: async () => ({ ok: true, value: [] }) });
    expect(await typed(["lock", "list", "--coordinator", `${address},${alive}`])).toMatchObject({ code: 0 });
  });

  it("a coordinator that answers late is waited for", async () => {
    const slow = await serve({
      locks: () => new Promise((resolve) => setTimeout(() => resolve({ ok: true, value: [] }), 6_000)),
    });
    expect(await typed(["lock", "list", "--coordinator", slow])).toMatchObject({ code: 0 });
  });

  it.each(["localhost", "10.0.0.5", "127.0.0.1:7440,other", "http://10.0.0.5:7440"])(
    "an address without a port, as in %s, is refused: that of the web would be taken",
    async (address) => {
      const { code, err } = await typed(["lock", "list", "--coordinator", address]);
      expect(err).toContain("Each is host:port, for example 127.0.0.1:7440.");
      expect(code).toBe(2);
    },
  );
});
