/** What an agent does not do for an upgrade in place, whoever asks: by its own notes and by what it sees on the host. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { inPlaceVerbs } from "#agent/engines/postgresql/in-place/index.ts";
import type { Note } from "#agent/engines/postgresql/in-place/note.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { StepResult, ToolRequest } from "#agent/verb.ts";
import { fakeHost, lookOf } from "#test/unit/agent/engines/kwdb/fake-host.ts";
import { stepContext } from "#test/unit/agent/engines/kwdb/step-context.ts";
import { plain } from "./place.ts";

const settings = postgresqlSettings.parse({ tools: "/t", host: "/nowhere", inPlace: plain });
const verbs = inPlaceVerbs({ settings });
const systemId = "7700000000000000001";
const newSystemId = "7700000000000000002";

const note: Note = {
  systemId,
  birth: {
    owner: "postgres",
    encoding: "UTF8",
    collate: "C",
    ctype: "C",
    provider: "libc",
    locale: null,
    icuRules: null,
    hasChecksums: false,
    walSegmentBytes: 16_777_216,
    isGroupReadable: false,
  },
  clearedFor: "upgrade/swap#1",
  isFresh: false,
  newSystemId,
  hasConfig: false,
  mode: null,
  wasEnabled: true,
  isNewStarted: false,
  isOpened: false,
  isOldGoing: false,
};

interface Standing {
  readonly note?: Partial<Note> | undefined;
  /** Units that run. */
  readonly running?: readonly string[];
  readonly state?: string;
  /** A folder that process 42 works in. */
  readonly lives?: string;
  readonly files?: Readonly<Record<string, string>>;
}

function host({ note: changed, running = [], state = "shut down", lives, files = {} }: Standing) {
  const here = fakeHost((argv) => {
    const [program = "", ...words] = argv;
    if (program === "systemctl") {
      const unit = words.at(-1) ?? "";
      const [active, pid] = running.includes(unit) ? ["active", "42"] : ["inactive", "0"];
      return lookOf(`LoadState=loaded\nActiveState=${active}\nMainPID=${pid}\nUnitFileState=enabled\n`);
    }
    if (program.endsWith("/pg_controldata")) {
      const id = program.startsWith(plain.newBin) ? newSystemId : systemId;
      return lookOf(
        `Database system identifier: ${id}\nDatabase cluster state: ${state}\nBytes per WAL segment: 16777216\nData page checksum version: 0\n`,
      );
    }
    if (program.endsWith("/postgres")) return lookOf("postgres (PostgreSQL) 18.1\n");
    return lookOf("");
  });
  const write = (path: string, text: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  write(here.path(join(plain.data, "PG_VERSION")), "17\n");
  for (const [path, text] of Object.entries(files)) write(here.path(path), text);
  if (lives !== undefined) {
    mkdirSync(here.path("/proc/42"), { recursive: true });
    symlinkSync(here.path(lives), here.path("/proc/42/cwd"));
  }
  if (changed !== undefined)
    write(
      join(here.stateDir, "moving", "lockkeeper-r1", "in-place.json"),
      JSON.stringify({ format: 1, value: { ...note, ...changed } }),
    );
  return here;
}

async function run(
  name: string,
  args: unknown,
  standing: Standing,
): Promise<{
  readonly result: StepResult;
  readonly tools: readonly ToolRequest[];
  readonly path: (path: string) => string;
}> {
  const found = verbs.find((each) => each.name === `postgresql.${name}`);
  if (found === undefined) throw new Error(`no verb ${name}`);
  const here = host(standing);
  const tools: ToolRequest[] = [];
  const tool = (request: ToolRequest) => {
    tools.push(request);
    return {};
  };
  const context = stepContext(here, { tool, stage: "upgrade/swap", attempt: 2 });
  const result = await found.run(context, found.args.parse(args));
  return { result, tools, path: here.path };
}

function codeOf(result: StepResult): string {
  return result.result === "done" ? "done" : result.failure.code;
}

describe("the old server is not started", () => {
  it("on files that the new one was started on", async () => {
    const { result, tools } = await run(
      "start-server",
      { which: "old" },
      { note: { mode: "link", isNewStarted: true } },
    );
    expect(codeOf(result)).toBe("postgresql.linked-data-used");
    expect(tools).toEqual([]);
  });

  it("while the new one runs", async () => {
    const { result, tools } = await run(
      "start-server",
      { which: "old" },
      { note: { mode: "copy", isNewStarted: true }, running: [plain.newUnit] },
    );
    expect(codeOf(result)).toBe("postgresql.other-runs");
    expect(tools).toEqual([]);
  });

  it("without a note of what was done here", async () => {
    const { result } = await run("start-server", { which: "old" }, {});
    expect(codeOf(result)).toBe("postgresql.in-place-not-begun");
  });
});

describe("data is not thrown away", () => {
  const foreign = { [join(plain.newData, "somebody's")]: "x" };

  it("that was there before", async () => {
    const given = { note: { clearedFor: null }, files: foreign };
    const made = await run("make-data", { systemId }, given);
    expect(codeOf(made.result)).toBe("postgresql.new-data-not-empty");
    expect(existsSync(made.path(join(plain.newData, "somebody's")))).toBe(true);
    const removed = await run("remove-data", {}, given);
    expect(removed.result).toMatchObject({ outputs: { found: "not made by this rollout" } });
    expect(existsSync(removed.path(join(plain.newData, "somebody's")))).toBe(true);
  });

  it("that a new server was started on and opened", async () => {
    const opened = { mode: "copy", isNewStarted: true, isOpened: true } as const;
    const linked = { mode: "link", isNewStarted: true } as const;
    for (const [name, args, changed] of [
      ["make-data", { systemId }, opened],
      ["remove-data", {}, opened],
      ["make-data", { systemId }, linked],
      ["remove-data", {}, linked],
    ] as const) {
      const given = { note: changed, files: foreign };
      const { result, path } = await run(name, args, given);
      expect(codeOf(result)).toBe("postgresql.new-started-already");
      expect(existsSync(path(join(plain.newData, "somebody's")))).toBe(true);
    }
  });

  it("of the old server, while the new one does not run", async () => {
    const { result, path } = await run("remove-old-data", {}, { note: { mode: "copy", isNewStarted: true } });
    expect(codeOf(result)).toBe("postgresql.new-does-not-run");
    expect(existsSync(path(join(plain.data, "PG_VERSION")))).toBe(true);
  });
});

describe("the old data goes", () => {
  const runs = (more: Readonly<Record<string, string>>) => ({
    [join(plain.newData, "postmaster.pid")]: "42\n",
    ...more,
  });
  const started = { isNewStarted: true } as const;

  it.each([
    ["after a copy", { mode: "copy", ...started } as const, {}, "done"],
    [
      "after a link",
      { mode: "link", ...started } as const,
      { [join(plain.data, "global/pg_control.old")]: "x" },
      "done",
    ],
    [
      "after a link, in another folder",
      { mode: "link", systemId: "9", ...started } as const,
      {},
      "postgresql.another-server",
    ],
    [
      "in another folder",
      { mode: "copy", systemId: "9", ...started } as const,
      {},
      "postgresql.another-server",
    ],
    ["half gone already", { mode: "copy", systemId: "9", isOldGoing: true, ...started } as const, {}, "done"],
  ])("%s", async (_, changed, files, code) => {
    const { result, path } = await run(
      "remove-old-data",
      {},
      { note: changed, files: runs(files), lives: plain.newData },
    );
    expect(codeOf(result)).toBe(code);
    expect(existsSync(path(join(plain.data, "PG_VERSION")))).toBe(code !== "done");
  });
});

describe("new data of our own", () => {
  const ours = {
    [join(plain.newData, "half")]: "x",
    [join(plain.data, "global/pg_control.old")]: "control",
    [`${plain.newData}.lockkeeper/delete_old_cluster.sh`]: "x",
  };

  it("is made anew after a pg_upgrade that was cut short, and the old control file is put back", async () => {
    const { result, tools, path } = await run(
      "make-data",
      { systemId },
      { note: { mode: "link" }, files: ours },
    );
    expect(codeOf(result)).toBe("done");
    expect(existsSync(path(join(plain.newData, "half")))).toBe(false);
    expect(existsSync(path(`${plain.newData}.lockkeeper/delete_old_cluster.sh`))).toBe(false);
    expect(readFileSync(path(join(plain.data, "global/pg_control")), "utf8")).toBe("control");
    expect(tools.map(({ argv, user }) => [argv[0], user])).toEqual([[`${plain.newBin}/initdb`, "postgres"]]);
  });

  it("goes while the new server was never opened to clients", async () => {
    const given = { note: { mode: "copy", isNewStarted: true } as const, files: ours };
    const { result, path } = await run("remove-data", {}, given);
    expect(codeOf(result)).toBe("done");
    expect(existsSync(path(plain.newData))).toBe(false);
  });
});

describe("pg_upgrade", () => {
  const args = { mode: "copy", jobs: "2", version: "18" };

  it("is not begun on data that it was begun on before", async () => {
    const { result, tools } = await run("run-upgrade", args, { note: { mode: "link", isFresh: false } });
    expect(codeOf(result)).toBe("postgresql.new-data-not-fresh");
    expect(tools).toEqual([]);
  });

  it("is not believed by its exit code", async () => {
    const { result, tools } = await run("run-upgrade", args, { note: { isFresh: true } });
    expect(tools.length).toBe(1);
    expect(result).toMatchObject({
      result: "failed",
      failure: {
        code: "postgresql.upgrade-not-through",
        facts: { found: "it has not written its last script" },
      },
    });
  });

  it("is through when its script is there and the new control file says shut down", async () => {
    const files = { [`${plain.newData}.lockkeeper/delete_old_cluster.sh`]: "x" };
    expect(codeOf((await run("run-upgrade", args, { note: { isFresh: true }, files })).result)).toBe("done");
    const still = await run("run-upgrade", args, { note: { isFresh: true }, files, state: "in production" });
    expect(codeOf(still.result)).toBe("postgresql.upgrade-not-through");
  });
});

it("a server that was not shut down in order is not taken for one", async () => {
  const args = { which: "old", systemId };
  expect(codeOf((await run("prove-stopped", args, {})).result)).toBe("done");
  const cut = await run("prove-stopped", args, { state: "in production" });
  expect(codeOf(cut.result)).toBe("postgresql.not-shut-down");
  const runs = await run("prove-stopped", args, { running: [plain.unit] });
  expect(codeOf(runs.result)).toBe("postgresql.server-still-runs");
  const other = await run("prove-stopped", { which: "old", systemId: "1" }, {});
  expect(codeOf(other.result)).toBe("postgresql.another-server");
});
