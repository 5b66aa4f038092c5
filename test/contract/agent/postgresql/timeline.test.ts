/** Whether a failover came between the rows and the cut-over: by the server's own timeline, never by what was meant. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, expect, it } from "vitest";
import { z } from "zod";
import { provingVerbs } from "#agent/engines/postgresql/patroni/proving.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { markOf } from "#agent/host/marks.ts";
import type { StepContext } from "#agent/verb.ts";
import { succeed } from "#proto/common/failure.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

const none = { databases: "[]", withinMs: "1000" };

function desk({ port }: PostgresServer) {
  const settings = postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools: "/tools" });
  const sent: string[] = [];
  const files = new Map<string, string>();
  const parcels = {
    send: async (name: string, file: string) => {
      sent.push(name);
      files.set(name, file);
      return succeed("");
    },
    fetch: async () => succeed(files.get("timeline-refused-1") ?? ""),
    find: async (name: string) => succeed(sent.includes(name) ? { digest: "" } : undefined),
  };
  const context = {
    ...{ host: hostOf(), signal: AbortSignal.timeout(30_000), rollout: "r1", attempt: 1 },
    ...{ stage: "cut-over/after-failover", parcels },
  } as unknown as StepContext;
  const does = async (name: string, args: object = {}) => {
    const verb = provingVerbs({ settings }).find((each) => each.name === `postgresql.${name}`);
    return verb?.run(context, verb.args.parse(args));
  };
  const mark = markOf(context, "timeline", z.object({ timeline: z.string(), shown: z.string().optional() }));
  return { does, mark, sent, files, folder: context.host.stateDir };
}

it("is none where the timeline is the one that was noted: nothing is compared once more", async () => {
  const { does, mark, sent } = desk(await serverOf(15));
  await does("note-timeline");
  expect(await mark.read()).toEqual({ timeline: "00000001" });
  expect(await does("show-after-failover", none)).toMatchObject({ result: "done" });
  expect(sent).toEqual(["timeline-same-1"]);
  expect(await does("verify-after-failover", none)).toMatchObject({ outputs: { found: "no failover" } });
  expect(await does("prove-timeline")).toMatchObject({ result: "done" });
});

it("is one where it is another: refused until all was compared on it", async () => {
  const { does, mark, sent, files, folder } = desk(await serverOf(15));
  expect(await does("prove-timeline")).toMatchObject({ failure: { code: "postgresql.timeline-changed" } });
  await mark.write({ timeline: "00000007" });
  expect(await does("prove-timeline")).toMatchObject({
    failure: { code: "postgresql.timeline-changed", facts: { before: "00000007", now: "00000001" } },
  });
  // of an earlier one
  await mark.write({ timeline: "00000007", shown: "00000008" });
  expect(await does("prove-timeline")).toMatchObject({ failure: { code: "postgresql.timeline-changed" } });
  // the new server has found a difference: nothing is proven, and both sides do it anew
  const word = path.join(folder, "refused");
  writeFileSync(word, '{"code":"postgresql.data-differs","facts":{"found":"bare"}}');
  files.set("timeline-refused-1", word);
  sent.push("timeline-refused-1");
  expect(await does("show-after-failover", none)).toMatchObject({
    failure: { code: "postgresql.data-differs", facts: { found: "bare" } },
  });
  expect(await does("prove-timeline")).toMatchObject({ failure: { code: "postgresql.timeline-changed" } });
  sent.length = 0;
  const both = [does("show-after-failover", none), does("verify-after-failover", none)];
  for (const side of both) expect(await side).toMatchObject({ result: "done" });
  expect(sent).toEqual(["timeline-changed-1", "timeline-equal-1"]);
  expect(await does("prove-timeline")).toMatchObject({ result: "done" });
  expect(await mark.read()).toEqual({ timeline: "00000001" });
});
