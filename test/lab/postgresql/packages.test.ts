// An extension that the old server uses and the new one lacks comes with a package, which the new host's own file names: installed by
// the move, proven, and taken away again by the way back. A real apt, a real dpkg, real systemd units.
import { afterEach, expect, it } from "vitest";
import { describeLongLab, type Host } from "../harness/index.ts";
import { AgentWatch } from "../product/agent-watch.ts";
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

const archive = "/srv/archive";

/** Builds packages on the host itself, into an archive that is the only one its apt knows. */
async function placeArchive(host: Host): Promise<void> {
  const build = async (
    name: string,
    fields: string,
    files: Readonly<Record<string, string>>,
    mode = "0644",
  ) => {
    const folder = `/root/build/${name}`;
    const head = `Package: ${name}\nVersion: 1.0-1\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\n`;
    await host.write(`${folder}/DEBIAN/control`, `${head}${fields}Description: of a test\n`);
    for (const [file, text] of Object.entries(files))
      await host.write(`${folder}/${file}`, text, file.startsWith("DEBIAN/") ? "0755" : mode);
    await host.must(["dpkg-deb", "--root-owner-group", "-b", folder, `${archive}/${name}.deb`]);
  };
  await host.must(["install", "-d", archive]);
  await build("postgresql-17-tiny", "Depends: tiny-data, postgresql-17\n", extensionIn(17));
  // as any package with a service: enabled, and started where it may be
  await build("tiny-data", "", {
    "usr/lib/systemd/system/tiny.service":
      "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
    "DEBIAN/postinst":
      "#!/bin/sh\nset -e\nsystemctl daemon-reload\ndeb-systemd-helper enable tiny.service\ndeb-systemd-invoke start tiny.service\n",
    "DEBIAN/postrm": '#!/bin/sh\n[ "$1" != purge ] || deb-systemd-helper purge tiny.service\n',
  });
  const index = `cd ${archive}; for f in *.deb; do dpkg-deb -f $f; echo "Filename: ./$f"; stat -c 'Size: %s' $f; echo "SHA256: $(sha256sum <$f | cut -d' ' -f1)"; echo; done >Packages`;
  await host.must(["sh", "-ec", index]);
  await host.must(["sh", "-ec", "rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*"]);
  await host.write("/etc/apt/sources.list", `deb [trusted=yes] file:${archive} ./\n`);
}

/** Its agent may install the extension. */
class HostWithPackages extends PgHost {
  protected override get moreSettings(): readonly string[] {
    return [...super.moreSettings, `packages: ["postgresql-17", "postgresql-17-tiny=1.0-1"]`];
  }

  /** `dpkg-query` of all of the host, one per line. */
  packages(): Promise<string> {
    const fields = ["Package", "Version", "db:Status-Abbrev"].map((field) => `\${${field}}`);
    return this.host.must(["dpkg-query", "-W", "-f", `${fields.join(" ")}\\n`]);
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
      const before = await young.packages();
      const pid = await young.postmasterPid();
      const early = await fleet.cli("check", "orders", "--to", "17", "--into", "orders-new");
      expect(early.code).toBe(3);
      expect(early.stdout).toContain("do not have postgresql-17-tiny=1.0-1");
      await young.host.must(["apt-get", "update"]);
      const checked = await fleet.cli("check", "orders", "--to", "17", "--into", "orders-new");
      console.log(checked.stdout);
      for (const told of [
        `postgresql-17-tiny 1.0-1 (file:${archive} ./)`,
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
      const more = (await young.packages()).split("\n").filter((line) => !before.split("\n").includes(line));
      expect(more).toEqual(["postgresql-17-tiny 1.0-1 ii ", "tiny-data 1.0-1 ii "]);
      expect((await young.host.exec(["systemctl", "is-active", "tiny"])).stdout.trim()).toBe("inactive");
      expect(await young.postmasterPid()).toBe(pid);
      expect(await young.host.read("/usr/sbin/policy-rc.d")).toBeNull();
      expect(await young.host.read("/etc/postgresql-common/createcluster.d/lockkeeper.conf")).toBeNull();
      const leaks = await fleet.cli("leaks", "orders-new");
      expect(leaks.stdout).toContain("packages.json");
      await here.goBack();
      expect(await young.packages()).toBe(before);
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
      const before = await young.packages();
      const planned = await fleet.plan();
      expect(planned.code, planned.stderr).toBe(0);
      const stopped = await here.apply(5);
      expect(stopped.stdout + stopped.stderr).toContain("did not bring: extension huge");
      expect(await young.sql("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'shop'")).toBe(
        "0",
      );
      const aborted = await fleet.longCli(200_000, "abort", here.rollout);
      expect(aborted.stdout, await fleet.explained(aborted)).toContain("aborted");
      expect(await young.packages()).toBe(before);
      expect(await here.writesOn(20)).toBe("old");
    },
    caseMs,
  );
});
