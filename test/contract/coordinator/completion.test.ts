import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { succeed } from "#proto/common/failure.ts";
import { serve } from "./serving.ts";
import { typed } from "./typed.ts";

const complete = (address: string, ...words: readonly string[]) =>
  typed(["completion", "words", "--", ...words], { env: { LOCKKEEPER_COORDINATOR: address } });

describe("completion of a cluster's name", () => {
  it.each([
    [["check", "p"], "payments"],
    [["cluster", "show", ""], "orders\npayments"],
    [["abort", "o"], "orders"],
    [["plan", "payments", "--into", "o"], "orders"],
    [["cluster", "p"], ""],
    [["plan", "payments", "--strategy", "o"], "offline"],
  ])("after %j", async (words, offered) => {
    const clusters = ["payments", "orders"].map((name) => ({ name, nodes: [] }));
    const address = await serve({ fleet: async () => succeed({ clusters, insecure: false }) as never });
    expect((await complete(address, ...words)).out).toBe(offered);
  });

  it("is nothing, and soon, where no coordinator answers", async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const bound = server.address();
    const mute = `127.0.0.1:${typeof bound === "object" ? bound?.port : 0}`;
    const beganMs = performance.now();
    for (const address of [mute, "127.0.0.1:1"])
      expect(await complete(address, "check", "p")).toMatchObject({ code: 0, out: "", err: "" });
    expect(performance.now() - beganMs).toBeLessThan(3_000);
  });
});
