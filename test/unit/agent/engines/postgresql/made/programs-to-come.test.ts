/** What an agent tells of a place for a server whose programs are not there, and may come with packages. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { madeFacts } from "#agent/engines/postgresql/made/facts.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { FailureError } from "#proto/common/failure.ts";
import type { PgPackages } from "#proto/engines/postgresql-packages.ts";
import { fakeHost, lookOf } from "#test/unit/agent/engines/kwdb/fake-host.ts";

const unit = "LoadState=not-found\nActiveState=inactive\nUnitFileState=\nMainPID=0\n";

function told(version: string, name = "postgresql-18", bin = "/usr/lib/postgresql/18/bin") {
  const host = fakeHost(([tool = ""]) => {
    if (tool === "systemctl") return lookOf(unit);
    return tool === "locale" ? lookOf("C\nC.utf8\n") : lookOf("", { exitCode: 127, stderr: "not there" });
  });
  mkdirSync(join(host.root, "proc/net"), { recursive: true });
  for (const file of ["unix", "tcp"]) writeFileSync(join(host.root, "proc/net", file), "");
  const made = { unit: "postgresql@18-main", bin, data: "/var/lib/postgresql/18/main" };
  const settings = postgresqlSettings.parse({ tools: bin, made });
  const packages: PgPackages = {
    installed: [],
    notFound: [],
    adds: [{ name, version, architecture: "amd64", origin: "", isNamed: true }],
    changes: [],
    removes: [],
    whyMainCluster: null,
  };
  return {
    with: () => madeFacts(host, { settings }, packages),
    without: () => madeFacts(host, { settings }, undefined),
  };
}

describe("programs that are not there", () => {
  it.each([
    ["18.1-1", "18.1"],
    ["18.1-1.pgdg12+1", "18.1"],
    ["1:18.1~beta1-1", "18.1"],
  ])("are to come with the server's package %s, as %s, into its own folder", async (version, wanted) => {
    expect(await told(version).with()).toMatchObject({
      ok: true,
      value: { isToCome: true, version: wanted, major: 18, unit: { load: "not-found" }, extensions: [] },
    });
  });

  it("are not there where nothing brings them, or not to that folder", async () => {
    const nowhere = [
      told("18.1-1").without(),
      told("1.6-1", "postgresql-18-cron").with(),
      told("18.1-1", "postgresql-18", "/opt/18/bin").with(),
    ];
    for (const each of nowhere) {
      const why = await each.catch((error: unknown) => error);
      expect(why).toBeInstanceOf(FailureError);
      expect(why).toMatchObject({ failure: { code: "postgresql.tool-not-run" } });
    }
  });
});
