/** Packages for a new server, with a real apt and a real dpkg: what would be done, what is done, and what is undone. */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { leftOversOn } from "#agent/engines/postgresql/left-overs.ts";
import { foresee } from "#agent/engines/postgresql/packages/foreseen.ts";
import { beQuiet } from "#agent/engines/postgresql/packages/quiet.ts";
import type { PgPackages } from "#proto/engines/postgresql-packages.ts";
import { run, serverOf, stopAll } from "./asked-server.ts";
import { lackOfApt, PackageHost } from "./package-host.ts";

const caseMs = 60_000;
let at: PackageHost;

beforeEach(() => {
  at = new PackageHost();
});

afterEach(async () => {
  at[Symbol.dispose]();
  await stopAll();
});

const look = (...packages: readonly string[]) =>
  foresee(at.host, packages, { limitMs: 200, signal: AbortSignal.timeout(20_000) });

async function foreseen(...packages: readonly string[]): Promise<PgPackages> {
  const found = await look(...packages);
  if (!found.ok) throw new Error(JSON.stringify(found.failure));
  return found.value;
}

/** What a plan says to the agent. */
async function planned(...packages: readonly string[]): Promise<{ readonly packages: string }> {
  const { adds } = await foreseen(...packages);
  return {
    packages: JSON.stringify(
      adds.map(({ name, version, architecture }) => ({ name, version, architecture })),
    ),
  };
}

const shown = ({ adds }: PgPackages) =>
  adds.map(({ name, version, isNamed }) => `${name} ${version}${isNamed ? "" : " along"}`);

const inRoot = (file: string) => path.join(at.root, file);

describe.skipIf(lackOfApt !== undefined)(
  "what installing packages would do to a host",
  { timeout: caseMs },
  () => {
    beforeEach(async () => {
      at.offer({ name: "ext", version: "1.0", fields: { Depends: "lib (>= 1)" } });
      at.offer({ name: "ext", version: "2.0", fields: { Depends: "lib (>= 2)", Recommends: "huge" } });
      at.offer({ name: "lib", version: "1.0" });
      at.offer({ name: "lib", version: "2.0" });
      at.offer({ name: "huge" });
      at.offer({ name: "rival", fields: { Conflicts: "lib", Breaks: "lib" } });
      await at.update();
    });

    it("is told with versions, origins and what comes along, without what is only recommended", async () => {
      const found = await foreseen("ext");
      expect(shown(found).sort()).toEqual(["ext 2.0", "lib 2.0 along"]);
      expect(found.adds.find(({ name }) => name === "ext")?.origin).toMatch(/^file:.*archive \.\/$/);
      expect(at.installed).toEqual({});
    });

    it("is told of the exact version that the file names", async () => {
      expect(shown(await foreseen("ext=1.0", "lib=1.0")).sort()).toEqual(["ext 1.0", "lib 1.0"]);
    });

    it("names what the lists do not have, a version too, and never takes another in its place", async () => {
      expect(await foreseen("ext=3.0", "nobody")).toMatchObject({
        notFound: ["ext=3.0", "nobody"],
        adds: [],
      });
    });

    it("is nothing where all is there, and no upgrade of it", async () => {
      await at.install("ext=1.0", "lib=1.0");
      expect(await foreseen("ext", "lib=1.0")).toMatchObject({ installed: ["ext 1.0", "lib 1.0"], adds: [] });
    });

    it("tells what would be upgraded, put back or removed for it", async () => {
      await at.install("lib=1.0");
      expect((await foreseen("ext=2.0")).changes).toEqual(["lib 1.0 to 2.0"]);
      expect((await foreseen("rival")).removes).toEqual(["lib"]);
      await at.install("lib=2.0");
      expect((await foreseen("lib=1.0")).changes).toEqual(["lib 2.0 to 1.0"]);
    });

    it("is not known while somebody else changes packages, and after a change that was cut", async () => {
      const held = openSync(inRoot("var/lib/dpkg/lock-frontend"), "a");
      expect(await look("ext")).toMatchObject({
        failure: { code: "packages.locked", facts: { by: expect.stringContaining(String(process.pid)) } },
      });
      closeSync(held);
      // as a container has it, whose packages are no matter of this host's
      mkdirSync(inRoot("elsewhere/var/lib/dpkg"), { recursive: true });
      const other = openSync(inRoot("elsewhere/var/lib/dpkg/lock-frontend"), "a");
      expect(await look("ext")).toMatchObject({ ok: true });
      closeSync(other);
      expect(await look("ext")).toMatchObject({ ok: true });
      writeFileSync(inRoot("var/lib/dpkg/updates/0001"), "");
      expect(await look("ext")).toMatchObject({ failure: { code: "packages.unsettled" } });
    });

    it("is told with apt's own word where there is no way", async () => {
      at.offer({ name: "lonely", fields: { Depends: "nobody" } });
      await at.update();
      expect(await look("lonely")).toMatchObject({
        failure: { code: "packages.no-plan", facts: { cause: expect.stringMatching(/nobody|held broken/) } },
      });
    });

    it("is refused of a server whose package could make a cluster that we could not keep it from", async () => {
      at.offer({ name: "postgresql-18" });
      await at.update();
      expect(await foreseen("postgresql-18")).toMatchObject({ whyMainCluster: null });
      const file = "etc/postgresql-common/createcluster.conf";
      mkdirSync(path.dirname(inRoot(file)), { recursive: true });
      writeFileSync(inRoot(file), "#include_dir '/etc/postgresql-common/createcluster.d'\nssl = on\n");
      expect(await foreseen("postgresql-18")).toMatchObject({ whyMainCluster: `/${file}` });
      for (const text of [
        "include_dir '/etc/postgresql-common/createcluster.d'\n",
        "create_main_cluster = false\n",
      ]) {
        writeFileSync(inRoot(file), text);
        expect(await foreseen("postgresql-18")).toMatchObject({ whyMainCluster: null });
      }
    });
  },
);

/** Asks, as every package does that has a service, whether it may start it. */
const starts = `"$DPKG_ROOT/usr/sbin/policy-rc.d" svc start && echo started >>"$DPKG_ROOT/told" || echo "refused $?" >>"$DPKG_ROOT/told"
cat "$DPKG_ROOT"/etc/postgresql-common/createcluster.d/* >>"$DPKG_ROOT/told"`;

describe.skipIf(lackOfApt !== undefined)("packages that the agent's file names", { timeout: caseMs }, () => {
  beforeEach(async () => {
    at.offer({ name: "ext", fields: { Depends: "lib" }, scripts: { postinst: starts } });
    at.offer({ name: "lib" });
    at.offer({ name: "lib", version: "0.9" });
    at.offer({ name: "other" });
    at.offer({ name: "needy", fields: { Depends: "lib" } });
    await at.update();
  });

  it("are installed with what comes along; nothing of them is started, and nothing of that stays", async () => {
    writeFileSync(inRoot("usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 104\n", { mode: 0o755 });
    await at.install("other");
    const add = at.verb("add-packages", at.means(["ext", "other"]));
    const args = await planned("ext", "other");
    expect(await add.probe(args)).toEqual({ state: "not-done" });
    expect(await add.run(args)).toMatchObject({ result: "done" });
    expect(at.installed).toEqual({ ext: "1.0", lib: "1.0", other: "1.0" });
    expect(at.told[0]).toEqual({ done: "0", of: "2" });
    expect(readFileSync(inRoot("told"), "utf8")).toMatch(
      /^refused 101\n(?:#.*\n)+create_main_cluster = false\n$/,
    );
    expect(readFileSync(inRoot("usr/sbin/policy-rc.d"), "utf8")).toBe("#!/bin/sh\nexit 104\n");
    expect(existsSync(inRoot("etc/postgresql-common"))).toBe(false);
    expect(await add.probe(args)).toMatchObject({ state: "done" });
    expect(at.ran.at(-1)).toEqual(expect.arrayContaining(["apt-mark", "auto", "lib"]));
  });

  it("go again, with what came along; what was there before stays", async () => {
    await at.install("other");
    const means = at.means(["ext", "other"]);
    await at.verb("add-packages", means).run(await planned("ext", "other"));
    const remove = at.verb("remove-packages", means, "back1");
    expect(await remove.probe({ of: "r1" })).toEqual({ state: "not-done" });
    expect(await remove.run({ of: "r1" })).toMatchObject({
      result: "done",
      outputs: { removed: "lib, ext" },
    });
    expect(at.installed).toEqual({ other: "1.0" });
    expect(await remove.probe({ of: "r1" })).toMatchObject({ state: "done" });
    expect(await remove.run({ of: "r1" })).toMatchObject({ result: "done" });
  });

  it("leave the configuration that was there before them", async () => {
    const ofConf = (text: string) => ({ "etc/conf.conf": text, "DEBIAN/conffiles": "/etc/conf.conf\n" });
    at.offer({ name: "conf", files: ofConf("first") });
    await at.update();
    await at.install("conf");
    await at.remove("conf");
    writeFileSync(inRoot("etc/conf.conf"), "theirs");
    at.offer({ name: "conf", version: "2.0", files: ofConf("second") });
    await at.update();
    const means = at.means(["conf"]);
    expect(await at.verb("add-packages", means).run(await planned("conf"))).toMatchObject({ result: "done" });
    expect(at.installed).toEqual({ conf: "2.0" });
    expect(await at.verb("remove-packages", means).run()).toMatchObject({ result: "done" });
    expect(at.installed).toEqual({ conf: "2.0 config-files" });
    expect(readFileSync(inRoot("etc/conf.conf"), "utf8")).toBe("theirs");
  });

  it("stay where something else has come to need them, and the end says so", async () => {
    const means = at.means(["ext"]);
    await at.verb("add-packages", means).run(await planned("ext"));
    await at.install("needy");
    expect(await at.verb("remove-packages", means).run()).toMatchObject({
      result: "done",
      outputs: { removed: "ext", "told.packages": expect.stringContaining("lib: needy needs it") },
    });
    expect(at.installed).toEqual({ lib: "1.0", needy: "1.0" });
  });

  it("are those of this host's own file, whatever a message names", async () => {
    const args = await planned("ext", "other");
    for (const [packages, code] of [
      [["ext"], "postgresql.packages-otherwise"],
      [["ext", "other", "needy"], "postgresql.packages-otherwise"],
      [undefined, "postgresql.packages-not-allowed"],
    ] as const)
      expect(await at.verb("add-packages", at.means(packages)).run(args)).toMatchObject({
        result: "failed",
        failure: { code },
      });
    expect(at.installed).toEqual({});
    expect(at.ran).toEqual([]);
    const { takes } = at.verb("add-packages", at.means(["ext"]));
    expect(takes({ packages: JSON.stringify([]) })).toBe(false);
    expect(takes({ ...args, also: "rm -rf /" })).toBe(false);
  });

  it("bring no upgrade, also where the lists have changed since the plan", async () => {
    await at.install("lib=0.9");
    const args = await planned("ext");
    at.offer({ name: "ext", version: "1.1", fields: { Depends: "lib (>= 1)" } });
    await at.update();
    expect(await at.verb("add-packages", at.means(["ext"])).run(args)).toMatchObject({
      failure: { code: "postgresql.packages-would-change", facts: { found: "lib 0.9 to 1.0" } },
    });
    expect(at.installed).toEqual({ lib: "0.9" });
  });

  it("are gone on with where an earlier run was cut in the middle; and can be taken away from there", async () => {
    const breaks = `[ -e "$DPKG_ROOT/mended" ] || exit 1`;
    at.offer({ name: "ext", version: "3.0", fields: { Depends: "lib" }, scripts: { postinst: breaks } });
    await at.update();
    const means = at.means(["ext"]);
    const add = at.verb("add-packages", means);
    const args = await planned("ext");
    expect(await add.run(args)).toMatchObject({ failure: { code: "postgresql.packages-not-added" } });
    expect(at.installed["ext"]).toBe("3.0 half-configured");
    expect(existsSync(inRoot("usr/sbin/policy-rc.d"))).toBe(false);
    expect(await add.probe(args)).toEqual({ state: "not-done" });
    // as a power cut leaves it: what dpkg had not yet written into its own file
    const half = readFileSync(inRoot("var/lib/dpkg/status"), "utf8")
      .split("\n\n")
      .find((stanza) => stanza.startsWith("Package: ext\n"));
    writeFileSync(inRoot("var/lib/dpkg/updates/0000"), `${half}\n`);
    writeFileSync(inRoot("mended"), "");
    expect(await add.run(args)).toMatchObject({ result: "done" });
    expect(at.installed).toEqual({ ext: "3.0", lib: "1.0" });
    expect(await at.verb("remove-packages", means).run()).toMatchObject({ result: "done" });
    expect(at.installed).toEqual({});
    // and once more, from the broken state itself
    rmSync(inRoot("mended"));
    await add.run(args);
    expect(at.installed["ext"]).toBe("3.0 half-configured");
    expect(await at.verb("remove-packages", means).run()).toMatchObject({ result: "done" });
    expect(at.installed).toEqual({});
  });

  it("are not done while a guard of theirs stands, as after a kill; the undo takes it down, too", async () => {
    const means = at.means(["ext"]);
    const add = at.verb("add-packages", means);
    const args = await planned("ext");
    await add.run(args);
    writeFileSync(inRoot("usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 7\n", { mode: 0o755 });
    await beQuiet(at.host);
    // whoever else installs something meanwhile gets the answer that it would have got
    const asked = await at.host.look([inRoot("usr/sbin/policy-rc.d"), "svc", "start"], { deadlineMs: 5_000 });
    expect(asked.exitCode).toBe(0);
    expect(await add.probe(args)).toEqual({ state: "not-done" });
    await at.verb("remove-packages", means).run();
    expect(readFileSync(inRoot("usr/sbin/policy-rc.d"), "utf8")).toContain("exit 7");
  });

  it("stop the step where one of them has made a cluster all the same", async () => {
    at.offer({
      name: "postgresql-18",
      scripts: {
        postinst:
          'mkdir -p "$DPKG_ROOT/etc/postgresql/18/main"; touch "$DPKG_ROOT/etc/postgresql/18/main/postgresql.conf"',
      },
    });
    await at.update();
    expect(
      await at.verb("add-packages", at.means(["postgresql-18"])).run(await planned("postgresql-18")),
    ).toMatchObject({ failure: { code: "postgresql.packages-made-cluster", facts: { found: "18/main" } } });
  });

  it("of a server stay, with all of its version, where a cluster is there: purging them would drop it", async () => {
    at.offer({ name: "postgresql-18", fields: { Depends: "postgresql-client-18, lib" } });
    at.offer({ name: "postgresql-client-18" });
    at.offer({ name: "postgresql-17" });
    await at.update();
    const means = at.means(["postgresql-18", "postgresql-17"]);
    const args = { ...(await planned("postgresql-18", "postgresql-17")), for: "server" };
    await at.verb("add-packages", means).run(args);
    mkdirSync(inRoot("etc/postgresql/18/theirs"), { recursive: true });
    writeFileSync(inRoot("etc/postgresql/18/theirs/postgresql.conf"), "");
    expect(await at.verb("remove-packages", means).run({ for: "server" })).toMatchObject({
      result: "done",
      outputs: {
        removed: "postgresql-17",
        "told.packages": expect.stringContaining("postgresql-18: the cluster 18/theirs is there"),
      },
    });
    expect(Object.keys(at.installed).sort()).toEqual(["lib", "postgresql-18", "postgresql-client-18"]);
  });
});

describe.skipIf(lackOfApt !== undefined)(
  "packages that a server has come to use",
  { timeout: caseMs },
  () => {
    it.each([
      [
        "by an extension in somebody's database",
        "CREATE EXTENSION hstore",
        "the extension hstore is in postgres",
      ],
      [
        "by a library that it loads at its next start",
        "ALTER SYSTEM SET shared_preload_libraries = 'auto_explain'",
        "the server loads auto_explain at its start",
      ],
    ])("stay: %s", async (_, statement, why) => {
      const server = await serverOf(18);
      at.offer({
        name: "postgresql-18-ext",
        files: {
          "usr/share/postgresql/18/extension/hstore.control": "",
          "usr/lib/postgresql/18/lib/auto_explain.so": "",
        },
      });
      at.offer({ name: "unused" });
      await at.update();
      const means = at.means(["postgresql-18-ext", "unused"], {
        host: "127.0.0.1",
        port: server.port,
        user: "kw",
      });
      await at.verb("add-packages", means).run(await planned("postgresql-18-ext", "unused"));
      const asItIs = { ...at.host, path: (file: string) => file };
      // until then its note is what a scan finds
      await run(server, "postgres", statement);
      expect(await leftOversOn({ host: asItIs, signal: AbortSignal.timeout(20_000) }, means)).toEqual(
        expect.arrayContaining([expect.stringContaining("packages.json")]),
      );
      expect(await at.verb("remove-packages", means).run()).toMatchObject({
        result: "done",
        outputs: { removed: "unused", "told.packages": expect.stringContaining(`postgresql-18-ext: ${why}`) },
      });
      expect(at.installed).toEqual({ "postgresql-18-ext": "1.0" });
    });

    it("must have brought what the move counts on", async () => {
      const server = await serverOf(18);
      const means = at.means(["ext"], { host: "127.0.0.1", port: server.port, user: "kw" });
      const prove = at.verb("prove-brought", means);
      const args = (...names: readonly string[]) => ({ extensions: JSON.stringify(names), libraries: "[]" });
      expect(await prove.run(args("hstore"))).toMatchObject({ result: "done" });
      expect(await prove.run(args("hstore", "nobodys"))).toMatchObject({
        failure: { code: "postgresql.packages-without", facts: { found: "extension nobodys" } },
      });
    });
  },
);

it("are named in the agent's file as Debian names them, and in no other way", () => {
  const takes = (...packages: readonly string[]) => {
    try {
      at.means(packages);
      return true;
    } catch {
      return false;
    }
  };
  expect(takes("postgresql-18", "postgresql-18-cron=1.6.4-2", "libstdc++6=1:2.0~rc1+dfsg-1")).toBe(true);
  for (const text of [
    ...[
      "postgresql-18-",
      "postgresql-18+",
      "-y",
      "--force",
      "a",
      "Postgres",
      "g++",
      "./x.deb",
      "a b",
      "x;y",
      "^x$",
      "x*",
    ],
    ...["x=", "x=1 y", "x/trixie", "task^", "x=-1", "x=1/2", ""],
  ])
    expect(takes(text), text).toBe(false);
  expect(takes("x1", "x1=1.0")).toBe(false);
});
