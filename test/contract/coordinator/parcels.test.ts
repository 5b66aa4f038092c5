/** Parcels from one agent to another, over the real service. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server } from "nice-grpc";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { parcelPost } from "#agent/host/parcel-post.ts";
import { parcelsOf } from "#agent/host/parcels.ts";
import { parcelService } from "#coordinator/api/parcel-service.ts";
import { ParcelFolder } from "#coordinator/api/parcels.ts";
import { systemClock } from "#proto/common/clock.ts";
import { ParcelServiceService } from "#proto/gen/lockkeeper/v1/parcel_pb.ts";

let folder: string;
const servers: Server[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockkeeper-parcels-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown();
});

interface Room {
  readonly leads?: boolean;
  readonly free?: number;
}

async function room({ leads = true, free = 2 ** 40 }: Room = {}) {
  const kept = mkdtempSync(join(folder, "coordinator-"));
  const open = new Set(["r1", "r2"]);
  const parcels = new ParcelFolder({
    folder: kept,
    clock: systemClock,
    bytesPerSecond: 1e9,
    isOpen: (rollout) => open.has(rollout),
    freeBytes: async () => free,
  });
  const server = createServer();
  server.add(
    ParcelServiceService,
    parcelService(parcels, () => ({ leads, address: "other:1" })),
  );
  servers.push(server);
  const address = `127.0.0.1:${await server.listen("127.0.0.1:0")}`;
  const agent = (limitMs = 10_000, rollout = "r1") =>
    parcelsOf(
      {
        folder: mkdtempSync(join(folder, "agent-")),
        clock: systemClock,
        bytesPerSecond: 1e9,
        post: parcelPost(() => address, systemClock),
      },
      rollout,
      AbortSignal.timeout(limitMs),
    );
  return { kept, open, agent };
}

function fileWith(content: string | Buffer): string {
  const path = join(mkdtempSync(join(folder, "file-")), "f");
  writeFileSync(path, content);
  return path;
}

describe("parcels", () => {
  it("carries a file from one agent to another, whole, by its digest", async () => {
    const { agent } = await room();
    const content = Buffer.alloc(700_000, "中文,\n");
    const sent = await agent().send("shop/manifest", fileWith(content));
    const other = agent();
    const found = await other.find("shop/manifest");
    expect(found).toEqual({ ok: true, value: expect.objectContaining({ digest: sent.ok && sent.value }) });
    const got = await other.fetch(sent.ok ? sent.value : "");
    expect(got.ok && readFileSync(got.value).equals(content)).toBe(true);
  });

  it("carries an empty file, and ends one that was cut off behind its last byte", async () => {
    const { agent } = await room();
    for (const [content, had] of [
      ["", undefined],
      ["whole", "whole"],
      ["whole", "wh"],
    ] as const) {
      const sent = await agent().send("part", fileWith(content));
      const digest = sent.ok ? sent.value : "";
      const other = agent(3_000);
      mkdirSync(other.folder, { recursive: true });
      if (had !== undefined) writeFileSync(join(other.folder, `${digest}.part`), had);
      const got = await other.fetch(digest);
      expect(got.ok ? readFileSync(got.value, "utf8") : got.failure).toBe(content);
    }
  });

  it("gives the newest under a name, and nothing where nothing was sent or of another rollout", async () => {
    const { agent } = await room();
    await agent().send("counts", fileWith("1"));
    const second = await agent().send("counts", fileWith("2"));
    expect(await agent().find("counts")).toMatchObject({ value: { digest: second.ok && second.value } });
    expect(await agent().find("other")).toEqual({ ok: true, value: undefined });
    expect(await agent(10_000, "r2").find("counts")).toEqual({ ok: true, value: undefined });
  });

  it("refuses what is of no open rollout, and what would fill the coordinator's disk", async () => {
    const { agent } = await room();
    const strange = await agent(10_000, "gone").send("a", fileWith("1"));
    expect(strange).toMatchObject({ failure: { code: "parcel.rollout-not-open" } });
    const small = await room({ free: 1024 });
    expect(await small.agent().send("a", fileWith("1"))).toMatchObject({
      failure: { code: "parcel.no-room" },
    });
    expect(await agent().send("../a b", fileWith("1"))).toMatchObject({
      failure: { code: "parcel.name-malformed" },
    });
  });

  it("waits for a coordinator that leads until its deadline, and says why it has not", async () => {
    const { agent } = await room({ leads: false });
    expect(await agent(600).send("a", fileWith("1"))).toMatchObject({
      failure: { code: "parcel.not-carried", facts: { cause: expect.stringContaining("not-leader") } },
    });
  });

  it("sweeps what belongs to a rollout that has ended", async () => {
    const { agent, kept, open } = await room();
    await agent().send("a", fileWith("1"));
    await agent(10_000, "r2").send("a", fileWith("1"));
    open.delete("r1");
    await agent(10_000, "r2").send("b", fileWith("2"));
    expect(readdirSync(kept).map((name) => Buffer.from(name, "base64url").toString())).toEqual(["r2"]);
  });
});
