import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exitCodes } from "#coordinator/cli/exit-code.ts";
import { init } from "./desk.ts";

let place = "";
let out = "";
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "lockkeeper-init-"));
  out = join(place, "move");
});
afterEach(() => rm(place, { recursive: true, force: true }));

const near = ["--old", "127.0.0.1:5432", "--new", "127.0.0.1:5433"];

describe("the folder of init", () => {
  it("is refused at once where the file system takes none", async () => {
    const { code, said } = await init("/proc/lockkeeper-nowhere", near);
    expect(code).toBe(exitCodes.usage);
    expect(said).toMatch(/\/proc\/lockkeeper-nowhere\/inventory\.yaml cannot be written: there is no such/);
  }, 2_000);

  it("is refused in plain words where a file stands", async () => {
    await writeFile(out, "mine\n");
    const { code, said } = await init(out, near);
    expect(code).toBe(exitCodes.usage);
    expect(said).toContain(`${out}/inventory.yaml cannot be written: a part of its path is a file`);
    expect(said).not.toMatch(/EEXIST|mkdir/);
    expect(await readdir(place)).toEqual(["move"]);
  });
});

const far = ["--old", "10.0.0.11", "--new", "10.0.0.12"];
const trusted = ["--coordinator", "10.0.0.5:7440", "--insecure"];
const read = (path: string) => readFile(join(out, path), "utf8");
const nothing = async () => expect(await readdir(place)).not.toContain("move");

describe("the coordinator that init writes down", () => {
  it("is asked for where a server is on another host: its agent would dial itself", async () => {
    const { code, said } = await init(out, far);
    expect(code).toBe(exitCodes.usage);
    expect(said).toMatch(/--coordinator is missing: 10\.0\.0\.11 .*\n.*add --coordinator HOST:7440/);
    await nothing();
  });

  it("is asked for again at a terminal, without a default", async () => {
    const others = ["--to", "18", "--cluster", "a", "--into", "b", "--old-node", "c", "--new-node", "d"];
    const { code, asked, said } = await init(
      out,
      [...far, ...others, ...users, "--tools", "/t"],
      ["", "10.0.0.5", "10.0.0.5:7440", "maybe", "yes"],
    );
    expect(asked.slice(0, 3)).toEqual(Array(3).fill("The coordinator, as the agents reach it: "));
    expect(asked.slice(3, 5)).toEqual(Array(2).fill(expect.stringContaining("Do you trust")));
    expect(said).toMatch(/an answer is needed: host:port.*\n.*"10\.0\.0\.5" cannot be taken.*\n.*yes or no/);
    expect(code).toBe(exitCodes.done);
    expect(await read("c/agent.yaml")).toMatch(/coordinators: \["10\.0\.0\.5:7440"\][\s\S]*insecure: true/);
  });

  it("is in the commands that come next, with the file that lets the agents in", async () => {
    const { said } = await init(out, [...far, ...trusted]);
    expect(said).toContain(`lockkeeper cluster apply ${out}/inventory.yaml --coordinator 10.0.0.5:7440`);
    expect(said).toContain("--into postgresql-new --coordinator 10.0.0.5:7440");
    expect(said).toMatch(/coordinator\.yaml:\n {2}listen: 0\.0\.0\.0:7440\n {2}advertise: 10\.0\.0\.5:7440/);
    expect(said).toContain("advertise: 10.0.0.5:7440\n  insecure: true\n");
    expect(said).toMatch(/Next, when both agents run, here .*reaches 10\.0\.0\.5:7440\)/);
  });

  it("stays on loopback where both servers are, and where somebody says so, with a word on tunnels", async () => {
    const { said } = await init(out, near);
    expect(await read("postgresql-1/agent.yaml")).toContain('coordinators: ["127.0.0.1:7440"]');
    expect(said).not.toMatch(/tunnel|--coordinator|insecure/);
    const told = await init(`${out}2`, [...far, "--coordinator", "127.0.0.1:7440"]);
    expect(told.code).toBe(exitCodes.done);
    expect(told.said).toContain("need a tunnel");
  });
});

const users = ["old-user", "new-user", "old-database", "new-database"].flatMap((each) => [`--${each}`, "p"]);

describe("a person at the terminal of init", () => {
  it("is asked again after each wrong answer, with what was wrong, and loses none of the others", async () => {
    const { code, said, asked } = await init(
      out,
      [],
      [
        "my orders",
        "orders",
        "orders",
        "orders-next",
        "9.6",
        "18",
        "",
        "10.0.0.11",
        "10.0.0.11:5432",
        "10.0.0.12",
        "o1",
        "o1",
        "n1",
        ...["", "", "", "", "tools", "", "10.0.0.5:7440", "y", "YES"],
      ],
    );
    expect(code, said).toBe(exitCodes.done);
    expect(said).toMatch(/^ {2}"my orders" cannot be taken; it must be a name of letters/);
    expect(said).toContain('"orders" is already the answer to "Name of the cluster that goes over"');
    expect(said).toContain("an answer is needed: host or host:port");
    expect(said).toContain('"10.0.0.11:5432" is already the answer to "Address of the old server"');
    expect(said).toContain('"o1" is already the answer to "Name of the old server\'s node"');
    expect(said).not.toMatch(/--cluster|there is no terminal/);
    expect(asked.filter((each) => each.startsWith("Password"))).toHaveLength(2);
    expect(await read("inventory.yaml")).toMatch(/"orders":[\s\S]*"o1"[\s\S]*"orders-next":[\s\S]*"n1"/);
  });

  it.each<readonly [string, readonly string[]]>([
    ["a mistake in the last option", ["--tools", "bin"]],
    ["an option without a word in it", ["--coordinator", ""]],
    ["a password file that is not there", ["--new-password-file", "/nowhere/word"]],
  ])("is told of %s before the first question", async (_, words) => {
    const { code, asked } = await init(out, words, []);
    expect([code, asked]).toEqual([exitCodes.usage, []]);
  });
});

describe("old and new of init", () => {
  it.each<readonly [string, readonly string[], string]>([
    ["addresses", ["--old", "DB1", "--new", "db1:5432"], '--old and --new are both "DB1"'],
    ["clusters", [...near, "--cluster", "orders", "--into", "orders"], "--cluster and --into are both"],
    ["clusters by default", [...near, "--into", "postgresql"], '--cluster and --into are both "postgresql"'],
    ["nodes", [...near, "--old-node", "n", "--new-node", "n"], '--old-node and --new-node are both "n"'],
  ])("with equal %s are refused by what is equal", async (_, words, wanted) => {
    const { code, said } = await init(out, words);
    expect(code).toBe(exitCodes.usage);
    expect(said).toContain(wanted);
    await nothing();
  });
});

describe("a password file of init", () => {
  it.each(["", "\n"])(
    "with %j in it is refused: a server without a password is not what was said",
    async (text) => {
      const file = join(place, "word");
      await writeFile(file, text);
      const { code, said } = await init(out, [...near, "--old-password-file", file]);
      expect(code).toBe(exitCodes.usage);
      expect(said).toContain(`${file} is empty`);
      expect(said).toContain("leave --old-password-file away");
      await nothing();
    },
  );
});
