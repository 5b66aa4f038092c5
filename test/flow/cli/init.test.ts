/** `lockkeeper init postgresql` as scripts type it: what it writes is taken by the product's own parsers, and nobody is told a password. */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readConfig } from "#agent/config.ts";
import { engineKinds } from "#agent/engines/index.ts";
import { exitCodes } from "#coordinator/cli/exit-code.ts";
import { parseInventory } from "#coordinator/inventory/parse.ts";
import { settingsOf } from "#coordinator/playbooks/postgresql/settings.ts";
import { programFile } from "../../../deploy/program-file.ts";

const secret = "s3cret %%: 'x\"";
let programs = "";
let folder = "";
beforeAll(async () => {
  programs = await mkdtemp(join(tmpdir(), "lockkeeper-init-"));
  await writeFile(join(programs, "package.json"), '{"type":"module"}');
  await programFile("coordinator/main.ts", join(programs, "lockkeeper"));
}, 60_000);
afterAll(() => rm(programs, { recursive: true, force: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(programs, "desk-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Said {
  readonly code: number | null;
  readonly text: string;
}

/** Without a terminal. */
async function init(...words: readonly string[]): Promise<Said> {
  const argv = [join(programs, "lockkeeper"), "init", "postgresql", ...words];
  const child = spawn(process.execPath, argv, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (part: string) => (text += part));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, text };
}

const read = (path: string) => readFile(join(folder, path), "utf8");
const modeOf = async (path: string) => (await stat(join(folder, path))).mode & 0o777;

async function inventory(path: string) {
  const parsed = parseInventory(await read(path), path);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.complaints));
  for (const cluster of parsed.value.clusters) expect(settingsOf(cluster).ok).toBe(true);
  return parsed.value.clusters;
}

async function agent(path: string) {
  const parsed = readConfig(await read(path), path, engineKinds);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.complaints));
  return parsed.value;
}

const servers = ["--cluster", "orders", "--to", "18", "--old", "10.0.0.11", "--new", "10.0.0.12:5433"];
const given = [...servers, "--coordinator", "10.0.0.5:7440", "--insecure"];

describe("init postgresql", () => {
  it("writes what the product reads, and says where it belongs and what comes next", async () => {
    const { code, text } = await init(...given);
    expect(code, text).toBe(exitCodes.done);
    expect(await inventory("lockkeeper/inventory.yaml")).toMatchObject([
      { name: "orders", nodes: [{ name: "orders-1", address: "10.0.0.11:5432" }] },
      { name: "orders-new", nodes: [{ name: "orders-new-1", address: "10.0.0.12:5433" }] },
    ]);
    expect(await agent("lockkeeper/orders-new-1/agent.yaml")).toMatchObject({
      node: "orders-new-1",
      stateDir: "/var/lib/lockkeeper-agent",
      engine: { settings: { host: "/var/run/postgresql", port: 5433, tools: "/usr/lib/postgresql/18/bin" } },
    });
    expect(await readdir(join(folder, "lockkeeper/orders-1"))).toEqual(["agent.yaml"]);
    expect(await modeOf("lockkeeper")).toBe(0o700);
    expect(text).toContain("10.0.0.11:/etc/lockkeeper/agent.yaml");
    expect(text).toContain("local all postgres peer map=lockkeeper");
    expect(text).toContain("lockkeeper check orders --to 18 --into orders-new");
  });

  it("takes pgrepup's file, keeps each password on its host alone, and tells it to nobody", async () => {
    const side = (port: number, password: string) =>
      `host = 127.0.0.1\nport = ${port}\nconnect_database = template1\nuser = wd\npassword = ${password}\n`;
    await writeFile(
      join(folder, "pgrepup"),
      `[Security]\nencrypted_credentials = n\ntmp_folder = /tmp\n[Source]\n${side(5495, secret)}[Destination]\n${side(5496, "")}`,
    );
    const { code, text } = await init("--from-pgrepup", "pgrepup", "-o", "out/move");
    expect(code, text).toBe(exitCodes.done);
    const password = "out/move/postgresql-1/postgresql.password";
    expect(await read(password)).toBe(`${secret.replace("%%", "%")}\n`);
    for (const path of [password, "out/move/postgresql-1/agent.yaml"]) expect(await modeOf(path)).toBe(0o600);
    // one host: the two agents share nothing
    expect(await agent("out/move/postgresql-1/agent.yaml")).toMatchObject({
      stateDir: "/var/lib/lockkeeper-agent-postgresql-1",
      engine: {
        settings: {
          host: "127.0.0.1",
          port: 5495,
          user: "wd",
          maintenanceDatabase: "postgres",
          passwordFile: "/etc/lockkeeper/postgresql-postgresql-1.password",
        },
      },
    });
    await agent("out/move/postgresql-new-1/agent.yaml");
    await inventory("out/move/inventory.yaml");
    const others = ["inventory.yaml", "postgresql-1/agent.yaml", "postgresql-new-1/agent.yaml"];
    for (const said of [text, ...(await Promise.all(others.map((path) => read(`out/move/${path}`))))])
      expect(said).not.toContain("s3cret");
    expect(text).toContain("postgres instead of template1");
  });

  it("reads a password from a file, and takes none as an option", async () => {
    await writeFile(join(folder, "word"), `${secret}\n`);
    const { code } = await init(...given, "--old-password-file", "word");
    expect(code).toBe(exitCodes.done);
    expect(await read("lockkeeper/orders-1/postgresql.password")).toBe(`${secret}\n`);
    expect((await init(...given, "--old-password", "x")).code).toBe(exitCodes.usage);
  });

  it("writes over nothing unless it is told to", async () => {
    await init(...given);
    await writeFile(join(folder, "lockkeeper/orders-1/agent.yaml"), "mine\n");
    const refused = await init(...given, "--into", "other");
    expect(refused.code).toBe(exitCodes.usage);
    expect(refused.text).toContain("lockkeeper/orders-1/agent.yaml");
    expect(await read("lockkeeper/orders-1/agent.yaml")).toBe("mine\n");
    expect(await readdir(join(folder, "lockkeeper"))).not.toContain("other-1");
    expect((await init(...given, "--force")).code).toBe(exitCodes.done);
    expect(await read("lockkeeper/orders-1/agent.yaml")).not.toBe("mine\n");
  });

  it.each<readonly [string, readonly string[], string]>([
    ["no address and nobody to ask", ["--old", "a"], "--new is missing"],
    ["one server twice", ["--old", "a", "--new", "a"], "--old and --new are both"],
    ["one server twice, once with its port", ["--old", "a", "--new", "a:5432"], "--old and --new are both"],
    ["a strange name", [...given, "--into", "a b"], "--into"],
    ["a strange version", [...given, "--to", "9.6"], "--to"],
    ["a port too high", [...given, "--new", "a:70000"], "--new"],
    ["a relative folder of tools", [...given, "--tools", "bin"], "--tools"],
    ["other hosts without a coordinator", servers, "--coordinator is missing"],
    ["a far coordinator in plain text", [...servers, "--coordinator", "10.0.0.5:7440"], "add --insecure"],
    ["no such file", ["--from-pgrepup", "nowhere"], "nowhere"],
  ])("refuses %s, and writes nothing", async (_, words, wanted) => {
    const { code, text } = await init(...words);
    expect(code, text).toBe(exitCodes.usage);
    expect(text).toContain(wanted);
    expect(await readdir(folder)).toEqual([]);
  });

  it("says insecure in the agents' files where the network is trusted", async () => {
    expect((await init(...given)).code).toBe(exitCodes.done);
    expect(await agent("lockkeeper/orders-1/agent.yaml")).toMatchObject({
      coordinators: ["10.0.0.5:7440"],
      insecure: true,
    });
  });
});
