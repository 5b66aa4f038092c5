/** Data of an old server goes only when it is that server's, nobody serves from it, and nobody can start it by accident. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { oldServerVerbs } from "#agent/engines/postgresql/old-server.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { fakeHost, lookOf } from "#test/unit/agent/engines/kwdb/fake-host.ts";
import { stepContext } from "#test/unit/agent/engines/kwdb/step-context.ts";

const unit = "postgresql@15-main.service";
const data = "/var/lib/postgresql/15/main";
const systemId = "7000000000000000001";
const means = { settings: postgresqlSettings.parse({ tools: "/bin", unit, data }) };

interface Standing {
  readonly active?: string;
  readonly file?: string;
  /** Of the server whose data lies there; undefined: no folder at all. */
  readonly systemId?: string | undefined;
}

function hostWith({ active = "inactive", file = "masked", ...more }: Standing) {
  const here = fakeHost(() =>
    lookOf(
      `LoadState=loaded\nActiveState=${active}\nMainPID=${active === "active" ? 42 : 0}\nUnitFileState=${file}\n`,
    ),
  );
  const id = "systemId" in more ? more.systemId : systemId;
  if (id === undefined) return here;
  mkdirSync(here.path(join(data, "global")), { recursive: true });
  const control = Buffer.alloc(16);
  control.writeBigUInt64LE(BigInt(id));
  writeFileSync(here.path(join(data, "global", "pg_control")), control);
  writeFileSync(here.path(join(data, "PG_VERSION")), "15\n");
  return here;
}

async function removed(standing: Standing) {
  const here = hostWith(standing);
  const verb = oldServerVerbs(means).find(({ name }) => name === "postgresql.remove-put-away");
  const context = stepContext(here, {});
  const args = verb?.args.parse({ systemId });
  const probe = await verb?.probe?.(context, args);
  return { probe, result: await verb?.run(context, args), path: here.path(data) };
}

describe("the data of an old server", () => {
  it("goes, and the folder stays", async () => {
    const { probe, result, path } = await removed({});
    expect(probe).toMatchObject({ state: "not-done" });
    expect(result).toMatchObject({ result: "done" });
    expect(readdirSync(path)).toEqual([]);
  });

  it.each([
    ["its unit runs", { active: "active" }, "postgresql.not-put-away"],
    ["its unit may be started by a boot", { file: "enabled" }, "postgresql.not-put-away"],
    ["it is another server's", { systemId: "7000000000000000002" }, "postgresql.another-server"],
  ] as const)("stays whole where %s", async (_, standing, code) => {
    const { result, path } = await removed(standing);
    expect(result).toMatchObject({ result: "failed", failure: { code } });
    expect(readdirSync(path).sort()).toEqual(["PG_VERSION", "global"]);
  });

  it("is not said to be gone where there is no such folder", async () => {
    const { probe, result } = await removed({ systemId: undefined });
    expect(probe).toMatchObject({ state: "unknown", failure: { code: "postgresql.data-unreadable" } });
    expect(result).toMatchObject({ result: "failed" });
  });
});
