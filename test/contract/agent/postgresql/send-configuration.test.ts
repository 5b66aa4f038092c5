/** What an old server's agent sends of its configuration to the host of a new one: all that it reads itself, and nothing secret. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { madeVerbs } from "#agent/engines/postgresql/made/index.ts";
import { type Parcel, parcel } from "#agent/engines/postgresql/made/parcel.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { markFolder } from "#agent/host/marks.ts";
import type { StepContext, StepResult } from "#agent/verb.ts";
import { succeed } from "#proto/common/failure.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { hostOf, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

async function sentOf({
  port,
}: PostgresServer): Promise<{ readonly result: StepResult; readonly sent: Parcel }> {
  let text = "";
  const send = async (_: string, file: string) => {
    text = readFileSync(file, "utf8");
    return succeed("digest");
  };
  const context = {
    host: hostOf(),
    signal: AbortSignal.timeout(30_000),
    rollout: "r1",
    parcels: { send },
  } as unknown as StepContext;
  const settings = postgresqlSettings.parse({ host: "127.0.0.1", port, user: "kw", tools: "/tools" });
  const verb = madeVerbs({ settings }).find(({ name }) => name === "postgresql.send-configuration");
  const result = await verb?.run(context, {});
  if (result === undefined) throw new Error("no verb");
  // nothing of it stays behind on this host
  expect(() => readFileSync(markFolder(context))).toThrow("ENOENT");
  return { result, sent: parcel.parse(JSON.parse(text)) };
}

it("sends every file that the server takes in, each once; passwords and what lies elsewhere stay", {
  timeout: 60_000,
}, async () => {
  const server = await serverOf(17);
  const write = (name: string, text: string) => writeFileSync(join(server.data, name), text, { flag: "a" });
  mkdirSync(join(server.data, "conf.d/deep.conf"), { recursive: true });
  write(
    "postgresql.conf",
    "include_dir = 'conf.d'\ninclude 'more/own.conf'\ninclude_if_exists '/etc/shared.conf'\n",
  );
  write("conf.d/a.conf", "work_mem = 7MB\n");
  write("conf.d/ignored.txt", "port = 1\n");
  write("conf.d/.hidden.conf", "port = 1\n");
  mkdirSync(join(server.data, "more"));
  write("more/own.conf", "include 'next.conf'\n");
  write("more/next.conf", "include '../conf.d/a.conf'\nprimary_conninfo = 'password=geheim'\n");
  write("postgresql.auto.conf", "primary_conninfo = 'host=a password=geheim'\nwork_mem = '8MB'\n");
  write("pg_hba.conf", "host all @people 10.0.0.0/8 scram-sha-256\n");
  write("people", "anna\n");
  const { result, sent } = await sentOf(server);
  expect(result.result).toBe("done");
  expect(sent.files.map(({ name }) => name).sort()).toEqual([
    "conf.d/a.conf",
    "more/next.conf",
    "more/own.conf",
    "people",
    "pg_hba.conf",
    "pg_ident.conf",
    "postgresql.conf",
  ]);
  expect(JSON.stringify(sent) + JSON.stringify(result)).not.toContain("geheim");
  expect(sent.auto).toContain("work_mem = '8MB'");
  expect(sent.elsewhere.toSorted()).toEqual(["../conf.d/a.conf", "/etc/shared.conf"]);
  expect(sent).toMatchObject({
    data: server.data,
    config: server.data,
    unit: null,
    isEnabled: null,
    certificates: [],
  });
});
