import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { ProgramOutcome, StepClass } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { endOf, makePair, offer, type Pair } from "./harness/pair.ts";
import { programOf, step } from "./harness/program.ts";

const content = randomBytes(900_000);
const digest = createHash("sha256").update(content).digest("hex");
const staging = programOf([step("stage", "paper.fetch", { digest }, { class: StepClass.OBSERVE })], {
  epoch: 0,
  nonce: "",
  stage: "preflight",
});

/** Serves `bytes` in chunks; breaks off `breaks` times in the middle. Notes the offsets that were asked for. */
function serve({ coordinator }: Pair, bytes: Buffer, breaks: number): number[] {
  const offsets: number[] = [];
  let left = breaks;
  coordinator.behaviour = {
    artefact: async ({ offset }, stream) => {
      offsets.push(offset);
      const until = left-- > 0 ? Math.min(bytes.length, offset + 300_000) : bytes.length;
      for (let at = offset; at < until; at += 65_536) {
        stream.write({ chunk: bytes.subarray(at, Math.min(at + 65_536, until)), totalBytes: bytes.length });
        await sleep(5);
      }
      if (until < bytes.length) stream.emit("error", { code: 14, details: "broken off" });
      else stream.end();
    },
  };
  return offsets;
}

it("is fetched into the agent's own folder; a fetch that was broken off goes on where it was", async () => {
  const pair = await makePair();
  const offsets = serve(pair, content, 2);
  await offer(pair, staging);
  expect((await endOf(pair)).outcome).toBe(ProgramOutcome.DONE);
  const path = pair.coordinator.of("stepEvent").at(-1)?.outputs["path"] ?? "";
  expect(path.startsWith(`${pair.agent.folder}/state/`)).toBe(true);
  expect(
    createHash("sha256")
      .update(await readFile(path))
      .digest("hex"),
  ).toBe(digest);
  expect(offsets.length).toBe(3);
  expect(offsets[1]).toBeGreaterThan(0);
  expect(offsets[2]).toBeGreaterThan(offsets[1] ?? 0);
});

it("is refused and thrown away when it does not prove its digest", async () => {
  const pair = await makePair();
  serve(pair, Buffer.concat([content.subarray(1), Buffer.from("x")]), 0);
  await offer(pair, staging);
  expect(await endOf(pair)).toMatchObject({
    outcome: ProgramOutcome.FAILED,
    failure: { code: "artefact.digest-differs" },
  });
  await expect(readFile(`${pair.agent.folder}/state/artefacts/${digest}`)).rejects.toThrow();
  await expect(readFile(`${pair.agent.folder}/state/artefacts/${digest}.part`)).rejects.toThrow();
});

it("is not fetched a second time when it is there and whole", async () => {
  const pair = await makePair();
  const offsets = serve(pair, content, 0);
  await offer(pair, staging);
  await endOf(pair);
  await offer(pair, { ...staging, attempt: 2 });
  await endOf(pair, 2);
  expect(offsets).toEqual([0]);
});
