// An extension that the old server uses and the new one lacks comes with a package, which the new host's own file names: installed by
// the move, proven, and taken away again by the way back. A real apt, a real dpkg, real systemd units.
import { afterEach, expect, it } from "vitest";
import { describeLongLab, type Host } from "../harness/index.ts";
import { AgentWatch } from "../product/agent-watch.ts";
import { archive, buildPackage, openArchive, packagesOn } from "./package-archive.ts";
import { bareHost, createCluster, PgHost, startPgHost } from "./pg-host.ts";
import { leftOn, MoveStory } from "./story.ts";

const caseMs = 580_000;
let story: MoveStory | undefined;

afterEach(async () => {
  await story?.[Symbol.asyncDispose]();
  story = undefined;
}, 60_000);

const control = "default_version = '1.0'\nrelocatable = true\n";
const script = "CREATE FUNCTION tiny() RETURNS int LANGUAGE sql AS 'SELECT 7';\n";

function extensionIn(major: number): Readonly<Record<string, string>> {
  const folder = `usr/share/postgresql/${major}/extension`;
  return { [`${folder}/tiny.control`]: control, [`${folder}/tiny--1.0.sql`]: script };
}

async function placeArchive(host: Host): Promise<void> {
  await buildPackage(host, "postgresql-17-tiny", {
    fields: "Depends: tiny-data, postgresql-17\n",
    files: extensionIn(17),
  });
  // as any package with a service: enabled, and started where it may be
  await buildPackage(host, "tiny-data", {
    files: {
      "usr/lib/systemd/system/tiny.service":
        "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
      "DEBIAN/postinst":
        "#!/bin/sh\nset -e\nsystemctl daemon-reload\ndeb-systemd-helper enable tiny.service\ndeb-systemd-invoke start tiny.service\n",
      "DEBIAN/postrm": '#!/bin/sh\n[ "$1" != purge ] || deb-systemd-helper purge tiny.service\n',
    },
  });
  await openArchive(host);
}

/** Its agent may install the extension. */
class HostWithPackages extends PgHost {
  protected override get moreSettings(): readonly string[] {
    return [...super.moreSettings, `packages: ["postgresql-17", "postgresql-17-tiny=1.0-1"]`];
  }
}

async function begin(name: string): Promise<{ readonly story: MoveStory; readonly young: HostWithPackages }> {
  let young: HostWithPackages | undefined;
  const begun = await MoveStory.begin({
    name,
    old: 15,
    new: 17,
    oldServers: async (lab) => [await startPgHost({ lab, name: "pg-old", major: 15, number: 11 })],
    newServer: async (lab) => {
      const host = await bareHost({ lab, name: "pg-new", major: 17, number: 21 });
      await createCluster(host, { lab, major: 17 });
      young = new HostWithPackages(host, 17);
      await host.must(["systemctl", "daemon-reload"]);
      await host.must(["systemctl", "enable", "--now", "--quiet", young.unit]);
      await young.untilServes();
      await placeArchive(host);
      return young;
    },
  });
  story = begun;
  if (young === undefined) throw new Error("no new host");
  for (const [file, text] of Object.entries(extensionIn(15)))
    await begun.fleet.old.host.write(`/${file}`, text);
  await begun.fleet.old.sql("shop", "CREATE EXTENSION tiny");
  return { story: begun, young };
}

const tiny = "SELECT tiny()";

await describeLongLab("a move whose new host lacks an extension's package", () => {
  it(
    "installs it while its agent is killed, takes it away with the way back, and installs it for the next move",
    async () => {
      const { story: here, young } = await begin("pg-packages");
      const { fleet } = here;
      const before = await packagesOn(young.host);
      const pid = await young.postmasterPid();
      const early = await fleet.cli("check", "orders", "--to", "17", "--into", "orders-new");
      expect(early.code).toBe(3);
      expect(early.stdout).toContain("do not have postgresql-17-tiny=1.0-1");
      await young.host.must(["apt-get", "update"]);
      const checked = await fleet.cli("check", "orders", "--to", "17", "--into", "orders-new");
      console.log(checked.stdout);
      for (const told of [
        `postgresql-17-tiny 1.0-1 from file:${archive} ./`,
        "with them come: tiny-data 1.0-1",
        "there already: postgresql-17 17.",
        "it may come with postgresql-17-tiny=1.0-1",
      ])
        expect(checked.stdout).toContain(told);
      const moments = ["add-packages started", "add-packages tool 1 begins"];
      {
        await using watch = await AgentWatch.killingAt(young.host, moments);
        await here.untilReady();
        expect(await watch.deeds()).toEqual(expect.arrayContaining(moments));
      }
      expect(await young.sql("shop", tiny)).toBe("7");
      const more = (await packagesOn(young.host))
        .split("\n")
        .filter((line) => !before.split("\n").includes(line));
      expect(more).toEqual(["postgresql-17-tiny 1.0-1 ii ", "tiny-data 1.0-1 ii "]);
      expect((await young.host.exec(["systemctl", "is-active", "tiny"])).stdout.trim()).toBe("inactive");
      expect(await young.postmasterPid()).toBe(pid);
      expect(await young.host.read("/usr/sbin/policy-rc.d")).toBeNull();
      expect(await young.host.read("/etc/postgresql-common/createcluster.d/lockkeeper.conf")).toBeNull();
      const leaks = await fleet.cli("leaks", "orders-new");
      expect(leaks.stdout).toContain("packages.json");
      await here.goBack();
      expect(await packagesOn(young.host)).toBe(before);
      expect(await young.postmasterPid()).toBe(pid);
      for (const server of [fleet.old, young]) expect(await leftOn(server)).toEqual([]);
      expect(await here.writesOn(20)).toBe("old");
      // and forward for good: from then on they are the new server's
      await here.untilReady();
      await here.approve(8);
      expect(await here.writesOn(50)).toBe("new");
      await here.approve(0);
      await here.prove("new");
      expect(await young.sql("shop", tiny)).toBe("7");
      expect(await leftOn(young)).toEqual([]);
    },
    caseMs,
  );

  it(
    "stops before anything else is made where the package does not bring it; aborted, the host is as it was",
    async () => {
      const { story: here, young } = await begin("pg-packages-wrong");
      const { fleet } = here;
      await fleet.old.host.must([
        "sh",
        "-ec",
        "cd /usr/share/postgresql/15/extension; cp tiny.control huge.control; cp tiny--1.0.sql huge--1.0.sql; sed -i s/tiny/huge/ huge--1.0.sql",
      ]);
      await fleet.old.sql("shop", "CREATE EXTENSION huge");
      await young.host.must(["apt-get", "update"]);
      const before = await packagesOn(young.host);
      const planned = await fleet.plan();
      expect(planned.code, planned.stderr).toBe(0);
      const stopped = await here.apply(5);
      expect(stopped.stdout + stopped.stderr).toContain("did not bring: extension huge");
      expect(await young.sql("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'shop'")).toBe(
        "0",
      );
      const aborted = await fleet.longCli(200_000, "abort", here.rollout);
      expect(aborted.stdout, await fleet.explained(aborted)).toContain("aborted");
      expect(await packagesOn(young.host)).toBe(before);
      expect(await here.writesOn(20)).toBe("old");
    },
    caseMs,
  );
});
