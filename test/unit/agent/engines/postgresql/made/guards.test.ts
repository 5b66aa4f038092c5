/** What an agent does not do on a new host, whoever asks; and that a host is given back as it was. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { postgresqlFacts } from "#agent/engines/postgresql/facts.ts";
import { madeVerbs } from "#agent/engines/postgresql/made/index.ts";
import { noteUnused } from "#agent/engines/postgresql/made/unused.ts";
import { usedIn } from "#agent/engines/postgresql/made/used.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { StepContext, StepResult, ToolRequest } from "#agent/verb.ts";
import { succeed } from "#proto/common/failure.ts";
import type { PostgresqlFull } from "#proto/engines/postgresql.ts";
import { fakeHost, lookOf } from "#test/unit/agent/engines/kwdb/fake-host.ts";
import { stepContext } from "#test/unit/agent/engines/kwdb/step-context.ts";

const made = {
  unit: "pg-new",
  bin: "/opt/18/bin",
  data: "/srv/pg/18/main",
  config: "/etc/pg/18/main",
  tablespaces: { fast: "/srv/fast" },
};
const { uid, gid } = userInfo();
const birth = {
  owner: "admin",
  encoding: "LATIN1",
  collate: "C",
  ctype: "C",
  provider: "libc",
  locale: null,
  icuRules: null,
  hasChecksums: true,
  walSegmentBytes: 16_777_216,
  isGroupReadable: false,
};

interface Bench {
  readonly run: (
    name: string,
    args?: object,
    more?: Partial<Omit<StepContext, "tool">>,
  ) => Promise<StepResult>;
  readonly probe: (name: string, args?: object) => Promise<string>;
  readonly write: (path: string, text?: string) => void;
  readonly there: (path: string) => boolean;
  readonly host: ReturnType<typeof fakeHost>;
  readonly tools: ToolRequest[];
  readonly state: {
    running: boolean;
    cuts: boolean;
    isEnabled: boolean;
    systemId: string;
    cluster: string;
    checkpoint: string;
    nextOid: number;
  };
}

function bench(settings: object = {}): Bench {
  const state = {
    running: false,
    cuts: false,
    isEnabled: false,
    systemId: "77",
    cluster: "shut down",
    checkpoint: "0/1",
    nextOid: 13_507,
  };
  const host = fakeHost(([program = "", ...words]) => {
    if (program === "id") return lookOf(`${words[0] === "-u" ? uid : gid}\n`);
    if (program === "systemctl")
      return lookOf(
        `LoadState=loaded\nActiveState=${state.running ? "active" : "inactive"}\nMainPID=${state.running ? 42 : 0}\nUnitFileState=${state.isEnabled ? "enabled" : "disabled"}\n`,
      );
    if (program.endsWith("/pg_controldata"))
      return lookOf(
        `Database system identifier: ${state.systemId}\nDatabase cluster state: ${state.cluster}\nLatest checkpoint location: ${state.checkpoint}\nLatest checkpoint's NextOID: ${state.nextOid}\nBytes per WAL segment: 16777216\nData page checksum version: 1\n`,
      );
    if (program.endsWith("/postgres") && words[0] === "--version")
      return lookOf("postgres (PostgreSQL) 18.1\n");
    return lookOf("");
  });
  const means = { settings: postgresqlSettings.parse({ tools: "/t", host: "/nowhere", made, ...settings }) };
  const verbs = madeVerbs(means);
  const tools: ToolRequest[] = [];
  const tool = (request: ToolRequest) => {
    tools.push(request);
    if (request.argv[0] === "systemctl")
      state.isEnabled = request.argv[1] === "enable" || (state.isEnabled && request.argv[1] !== "disable");
    const data = /^--pgdata=(.*)$/.exec(request.argv[1] ?? "")?.[1];
    if (data !== undefined) write(join(data, state.cuts ? "half" : "PG_VERSION"), "18");
    return state.cuts ? ({ exitCode: 1, result: "killed" } as const) : {};
  };
  const write = (path: string, text = "x") => {
    mkdirSync(dirname(host.path(path)), { recursive: true });
    writeFileSync(host.path(path), text);
  };
  const of = (name: string) => {
    const found = verbs.find((each) => each.name === `postgresql.${name}`);
    if (found === undefined) throw new Error(`no verb ${name}`);
    return found;
  };
  return {
    state,
    host,
    tools,
    write,
    there: (path) => existsSync(host.path(path)),
    run: async (name, args = {}, more = {}) => {
      const context = stepContext(host, { tool, stage: "make/files", ...more });
      return of(name).run(context, of(name).args.parse(args));
    },
    probe: async (name, args = {}) =>
      (await of(name).probe?.(stepContext(host), of(name).args.parse(args)))?.state ?? "none",
  };
}

const codeOf = (result: StepResult) => (result.result === "done" ? "done" : result.failure.code);
const makeArgs = { birth: JSON.stringify(birth) };

interface Sent {
  readonly certificates?: readonly string[];
  readonly isEnabled?: boolean;
  readonly more?: readonly { readonly name: string; readonly text: string }[];
}

function parcel(
  host: Bench["host"],
  { certificates = [], isEnabled = false, more = [] }: Sent = {},
): Partial<Omit<StepContext, "tool">> {
  const file = join(host.root, "parcel");
  const files = [
    { name: "postgresql.conf", text: "work_mem = 7MB" },
    { name: "pg_hba.conf", text: "" },
    { name: "pg_ident.conf", text: "" },
    ...more,
  ];
  const sent = {
    data: "/old",
    config: "/oldconf",
    unit: null,
    isEnabled,
    files,
    auto: "",
    certificates,
    elsewhere: [],
  };
  writeFileSync(file, JSON.stringify(sent));
  return {
    parcels: {
      folder: host.root,
      send: () => Promise.resolve(succeed("d")),
      find: () => Promise.resolve(succeed({ digest: "d" })),
      fetch: () => Promise.resolve(succeed(file)),
    },
  };
}

function livesIn(here: Bench, data: string, pid: number): void {
  here.write(join(data, "postmaster.pid"), `${pid}\n`);
  mkdirSync(here.host.path(`/proc/${pid}`), { recursive: true });
  symlinkSync(here.host.path(data), here.host.path(`/proc/${pid}/cwd`));
}

describe("what was there before", () => {
  it.each([made.data, made.config, made.tablespaces.fast])(
    "in %s is nobody's to take or to remove",
    async (folder) => {
      const here = bench();
      here.write(join(folder, "somebody's"));
      expect(codeOf(await here.run("prove-free", { version: "18" }))).toBe("postgresql.new-data-not-empty");
      const data = await here.run("make-new-data", makeArgs);
      if (folder === made.data) {
        expect(codeOf(data)).toBe("postgresql.new-data-not-empty");
        expect(existsSync(join(here.host.stateDir, "made"))).toBe(false);
      }
      await here.run("take-configuration", { settings: "{}" }, parcel(here.host));
      await here.run("make-tablespace-folders", { tablespaces: '["fast"]' });
      for (const what of ["tablespaces", "configuration", "data"])
        expect(codeOf(await here.run("give-back", { what }))).toBe("done");
      expect(here.there(join(folder, "somebody's"))).toBe(true);
    },
  );

  it("an empty folder stays, as it was; one that was not there goes, with those above it", async () => {
    const here = bench();
    mkdirSync(here.host.path(made.data), { recursive: true });
    chmodSync(here.host.path(made.data), 0o755);
    mkdirSync(here.host.path("/etc"), { recursive: true });
    expect(codeOf(await here.run("make-new-data", makeArgs))).toBe("done");
    expect(codeOf(await here.run("take-configuration", { settings: "{}" }, parcel(here.host)))).toBe("done");
    expect(statSync(here.host.path(made.data)).mode & 0o777).toBe(0o700);
    for (const what of ["tablespaces", "configuration", "data"]) await here.run("give-back", { what });
    expect(readdirSync(here.host.path(made.data))).toEqual([]);
    expect(statSync(here.host.path(made.data)).mode & 0o777).toBe(0o755);
    expect(readdirSync(here.host.path("/etc"))).toEqual([]);
    // nothing is known of it any more
    expect(readdirSync(join(here.host.stateDir, "made"))).toEqual([]);
    expect(await here.probe("give-back", { what: "data" })).toBe("done");
  });

  it("beside a folder of ours keeps the one above it", async () => {
    const here = bench();
    await here.run("make-new-data", makeArgs);
    here.write("/srv/pg/17/main/PG_VERSION");
    await here.run("give-back", { what: "data" });
    expect(readdirSync(here.host.path("/srv/pg"))).toEqual(["17"]);
  });

  it("a unit that runs, and programs of another version, are told before anything is made", async () => {
    const here = bench();
    here.state.running = true;
    expect(codeOf(await here.run("prove-free", { version: "18" }))).toBe("postgresql.server-still-runs");
    expect(codeOf(await here.run("prove-free", { version: "17" }))).toBe("postgresql.version-differs");
  });
});

describe("without a place in the agent's file", () => {
  it("nothing is made and nothing is removed, and no fact speaks of it", async () => {
    const here = bench({ made: undefined });
    for (const [name, args] of [
      ["make-new-data", makeArgs],
      ["prove-free", { version: "18" }],
      ["start-made", {}],
      ["give-back", { what: "data" }],
      ["make-tablespace-folders", { tablespaces: '["fast"]' }],
    ] as const)
      expect(codeOf(await here.run(name, args)), name).toMatch(/make-not-allowed|make-not-begun/);
    expect(here.tools).toEqual([]);
  });

  it.each(["../../../root/.ssh/authorized_keys", "/etc/shadow", ""])(
    "no file is written to %s",
    async (name) => {
      const here = bench();
      await here.run("make-new-data", makeArgs);
      const sent = parcel(here.host, { more: [{ name, text: "x" }] });
      expect(codeOf(await here.run("take-configuration", { settings: "{}" }, sent))).toBe(
        "postgresql.parcel-unreadable",
      );
      expect(here.there(made.config)).toBe(false);
    },
  );

  it("a tablespace that it does not name gets no folder", async () => {
    const here = bench();
    await here.run("make-new-data", makeArgs);
    for (const name of ["cold", "toString"])
      expect(codeOf(await here.run("make-tablespace-folders", { tablespaces: JSON.stringify([name]) }))).toBe(
        "postgresql.tablespace-not-named",
      );
  });
});

describe("a server that is being made", () => {
  it("gets what the old one was made with, and the role by which this agent gets in", async () => {
    const here = bench({ user: "keeper" });
    await here.run("make-new-data", makeArgs);
    const [initdb] = here.tools;
    expect(initdb).toMatchObject({ user: "postgres", cwd: "/" });
    const words = [
      "/opt/18/bin/initdb",
      "--username=keeper",
      "--encoding=LATIN1",
      "--data-checksums",
      "--locale-provider=libc",
    ];
    expect(initdb?.argv).toEqual(expect.arrayContaining(words));
  });

  it("is not made anew by a retry once it is there; one that was cut short is", async () => {
    const here = bench();
    expect(await here.probe("make-new-data", makeArgs)).toBe("not-done");
    await here.run("make-new-data", makeArgs);
    expect(await here.probe("make-new-data", makeArgs)).toBe("done");
    const cut = bench();
    cut.state.cuts = true;
    expect(codeOf(await cut.run("make-new-data", makeArgs))).toBe("postgresql.tool-failed");
    cut.state.cuts = false;
    expect(await cut.probe("make-new-data", makeArgs)).toBe("not-done");
    expect(codeOf(await cut.run("make-new-data", makeArgs, { attempt: 2 }))).toBe("done");
    expect(readdirSync(cut.host.path(made.data))).toEqual(["PG_VERSION"]);
  });

  it("is not started where its configuration is not whole", async () => {
    const here = bench();
    await here.run("make-new-data", makeArgs);
    expect(codeOf(await here.run("start-made"))).toBe("postgresql.make-not-begun");
    expect(here.tools.length).toBe(1);
  });

  it("that never ran is still disabled again on the way back", async () => {
    const here = bench();
    await here.run("make-new-data", makeArgs);
    await here.run("take-configuration", { settings: "{}" }, parcel(here.host, { isEnabled: true }));
    const signal = AbortSignal.abort();
    expect(codeOf(await here.run("start-made", {}, { signal }))).toBe("postgresql.server-does-not-serve");
    expect(here.state.isEnabled).toBe(true);
    expect(await here.probe("stop-made")).toBe("not-done");
    expect(codeOf(await here.run("stop-made"))).toBe("done");
    expect(here.state.isEnabled).toBe(false);
    expect(await here.probe("stop-made")).toBe("done");
  });

  it("wants the files of encryption on this host, and goes on when they are there", async () => {
    const here = bench();
    await here.run("make-new-data", makeArgs);
    const sent = parcel(here.host, { certificates: ["/etc/ssl/own.key", "server.crt"] });
    const stopped = await here.run("take-configuration", { settings: "{}" }, sent);
    expect(stopped).toMatchObject({
      failure: {
        code: "postgresql.certificates-missing",
        facts: { files: `/etc/ssl/own.key, ${made.data}/server.crt` },
      },
    });
    expect(await here.probe("take-configuration", { settings: "{}" })).toBe("not-done");
    here.write("/etc/ssl/own.key");
    here.write(`${made.data}/server.crt`);
    expect(codeOf(await here.run("take-configuration", { settings: "{}" }, sent))).toBe("done");
    expect(await here.probe("take-configuration", { settings: "{}" })).toBe("done");
    expect(readFileSync(here.host.path(`${made.config}/postgresql.conf`), "utf8")).toContain(
      "work_mem = 7MB",
    );
  });
});

/** As `stop-made` leaves it, of a server that has said that it is unused. */
function asked({ host }: Bench): Promise<void> {
  return noteUnused(stepContext(host), { ...made, account: "postgres", listen: undefined });
}

describe("what somebody has put into it", () => {
  const fill = (here: Bench, path: string) => here.write(join(made.data, path));

  it("is known by its files: databases, tables of those of initdb, tablespaces", async () => {
    const here = bench();
    fill(here, "base/5/1259");
    fill(here, "base/5/2619_fsm");
    fill(here, "base/5/pg_internal.init");
    mkdirSync(here.host.path("/srv/fast/PG_18_1"), { recursive: true });
    mkdirSync(here.host.path(join(made.data, "pg_tblspc")), { recursive: true });
    symlinkSync(here.host.path("/srv/fast"), here.host.path(join(made.data, "pg_tblspc/16384")));
    const used = () => usedIn(here.host, made.data);
    expect(await used()).toEqual([]);
    fill(here, "base/5/16390.1");
    expect(await used()).toEqual([`tables in ${made.data}/base/5`]);
    fill(here, "base/16391/PG_VERSION");
    here.write("/srv/fast/PG_18_1/16392/1");
    expect(await used()).toHaveLength(3);
  });

  it("is known by its large objects too, which lie in a table of initdb's own", async () => {
    const here = bench();
    here.write(join(made.data, "base/5/2613"), "");
    const used = () => usedIn(here.host, made.data);
    expect(await used()).toEqual([]);
    here.write(join(made.data, "base/5/2613"), "a page");
    expect(await used()).toEqual([`large objects in ${made.data}/base/5`]);
  });

  it("keeps it from being stopped and from being removed", async () => {
    const here = bench();
    await here.run("make-new-data", makeArgs);
    await here.run("take-configuration", { settings: "{}" }, parcel(here.host));
    fill(here, "base/16391/PG_VERSION");
    for (const [name, args] of [
      ["prove-unused", {}],
      ["stop-made", {}],
      ["give-back", { what: "configuration" }],
      ["give-back", { what: "data" }],
    ] as const)
      expect(codeOf(await here.run(name, args)), name).toBe("postgresql.made-server-used");
    expect(here.tools.length).toBe(1);
    expect(here.there(`${made.config}/postgresql.conf`)).toBe(true);
  });

  it.each([
    ["has given numbers to things, and was not asked", { nextOid: 16_384 }],
    ["has ended in a crash", { cluster: "in production" }],
    ["has run since it was asked", { nextOid: 16_390, checkpoint: "0/2" }],
  ])("is not known of a server that %s: nothing of it is removed", async (_, changed) => {
    const here = bench();
    await here.run("make-new-data", makeArgs);
    await here.run("take-configuration", { settings: "{}" }, parcel(here.host));
    await asked(here);
    here.write(`${made.data}/global/pg_control`);
    Object.assign(here.state, changed, "checkpoint" in changed ? {} : { checkpoint: "0/9" });
    for (const [name, args] of [
      ["prove-unused", {}],
      ["give-back", { what: "configuration" }],
      ["give-back", { what: "data" }],
    ] as const)
      expect(await here.run(name, args), name).toMatchObject({
        failure: { code: "postgresql.made-server-not-asked", facts: { data: made.data, unit: made.unit } },
      });
    expect(here.there(`${made.config}/postgresql.conf`)).toBe(true);
    expect(here.there(`${made.data}/PG_VERSION`)).toBe(true);
  });

  it("is not asked again of one that rests since it was asked, whatever numbers it had given", async () => {
    const here = bench();
    await here.run("make-new-data", makeArgs);
    here.write(`${made.data}/global/pg_control`);
    Object.assign(here.state, { nextOid: 24_577, checkpoint: "0/7" });
    await asked(here);
    expect(codeOf(await here.run("give-back", { what: "data" }))).toBe("done");
  });

  it("is no question any more where a removal that was cut short has taken its control file", async () => {
    const here = bench();
    await here.run("make-new-data", makeArgs);
    Object.assign(here.state, { nextOid: 24_577 });
    expect(codeOf(await here.run("give-back", { what: "data" }))).toBe("done");
  });

  it("cannot be said by one that runs and lets nobody in: nothing is proven, and it may be stopped", async () => {
    const here = bench();
    await here.run("make-new-data", makeArgs);
    livesIn(here, made.data, 43);
    expect(codeOf(await here.run("prove-unused"))).toBe("postgresql.made-server-not-asked");
    expect(codeOf(await here.run("stop-made"))).toBe("postgresql.unit-of-another");
  });

  it("of another rollout is not this one's to stop", async () => {
    const here = bench();
    await here.run("make-new-data", makeArgs, { rollout: "other" });
    expect(await here.run("stop-made", { of: "r1" })).toMatchObject({
      outputs: { found: "not made by this rollout" },
    });
    expect(await here.run("give-back", { what: "data", of: "r1" })).toMatchObject({
      outputs: { found: "not made by this rollout" },
    });
    expect(here.there(`${made.data}/PG_VERSION`)).toBe(true);
  });

  it("on another server in the same folder is nobody's to stop or to remove", async () => {
    const here = bench();
    await here.run("make-new-data", makeArgs);
    here.write(`${made.data}/global/pg_control`);
    here.state.systemId = "78";
    for (const [name, args] of [
      ["stop-made", {}],
      ["give-back", { what: "data" }],
    ] as const)
      expect(codeOf(await here.run(name, args)), name).toBe("postgresql.another-server");
    here.state.systemId = "77";
    expect(codeOf(await here.run("give-back", { what: "data" }))).toBe("done");
  });

  it("is not stopped by a unit that runs another server, nor where its own was started by hand", async () => {
    const here = bench();
    await here.run("make-new-data", makeArgs);
    here.state.running = true;
    expect(codeOf(await here.run("stop-made"))).toBe("postgresql.unit-of-another");
    here.state.running = false;
    livesIn(here, made.data, 43);
    expect(codeOf(await here.run("stop-made"))).toBe("postgresql.unit-of-another");
    expect(here.tools.length).toBe(1);
  });

  it("and one that lives there is not removed", async () => {
    const here = bench();
    await here.run("make-new-data", makeArgs);
    livesIn(here, made.data, 42);
    expect(codeOf(await here.run("give-back", { what: "data" }))).toBe("postgresql.server-still-runs");
    expect(here.there(`${made.data}/PG_VERSION`)).toBe(true);
  });
});

describe("facts", () => {
  const facts = async (here: Bench) => {
    const means = { settings: postgresqlSettings.parse({ tools: "/t", host: "/nowhere", made }) };
    const options = { depth: "pulse", signal: new AbortController().signal } as const;
    return (await postgresqlFacts(here.host, means, options)) as PostgresqlFull;
  };

  it("say that nothing was made yet, and not that nothing is reached; once something is there, they do", async () => {
    const here = bench();
    expect((await facts(here)).server).toMatchObject({
      unknown: { code: "postgresql.not-made-yet", facts: { data: made.data } },
    });
    here.write(join(made.data, "PG_VERSION"));
    expect((await facts(here)).server).toMatchObject({ unknown: { code: "postgresql.no-server" } });
  });
});
