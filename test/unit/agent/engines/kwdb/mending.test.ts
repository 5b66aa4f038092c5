import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import {
  composeWithFlag,
  composeWithoutFlag,
  withFlag,
  withoutFlag,
} from "#agent/engines/kwdb/upgrade-flag.ts";
import { ContainerAgent } from "./container-agent.ts";

const line = (args: string) => `KAIWUDB_START_ARG="${args}"\n`;

describe("the flag of an upgrade in kaiwudb_env", () => {
  it.each([
    ["--upgrade-complete ", ""],
    ["--upgrade-complete", ""],
    ["--upgrade-complete --cache=2GiB --x='a  b'", "--cache=2GiB --x='a  b'"],
    ["--cache=2GiB --upgrade-complete --max-sql-memory=1", "--cache=2GiB --max-sql-memory=1"],
    ["--upgrade-complete=true --cache=1", "--cache=1"],
    ["--upgrade-complete --upgrade-complete ", ""],
  ])("is taken out of %j, and every other argument stays to the letter", (args, left) => {
    expect(withoutFlag(`# own line\n${line(args)}OTHER="1"\n`)).toBe(`# own line\n${line(left)}OTHER="1"\n`);
  });

  it.each(["", "--cache=2GiB", "--upgrade-completed", "--no-upgrade-complete"])(
    "is not seen in %j",
    (args) => {
      expect(withoutFlag(line(args))).toBe(line(args));
    },
  );

  it("is put in as the vendor's script does it, once, and taken out again leaves what was there", () => {
    for (const args of ["", "--cache=2GiB --x=1"]) {
      const put = withFlag(line(args)) ?? "";
      expect(put).toBe(line(`--upgrade-complete ${args}`));
      expect(withFlag(put)).toBe(put);
      expect(withoutFlag(put)).toBe(line(args));
    }
  });

  it("has no place where there is no such line", () => {
    expect(withFlag("OTHER=1\n")).toBeUndefined();
  });
});

describe("the flag of an upgrade in deploy.sh's compose file", () => {
  const file = (words: string) =>
    [
      "# made by deploy.sh",
      "services:",
      "  kaiwudb-container:",
      "    image: kwdb/kwdb:3.0.0   # kept",
      `    command: /bin/bash -c "/kaiwudb/bin/kwbase ${words}--store=/kaiwudb/deploy/kaiwudb-container"`,
      "",
    ].join("\n");

  it.each(["start ", "start-single-replica "])(
    "is a word of its %s, and nothing else of it changes",
    (start) => {
      const put = composeWithFlag(file(`${start}--insecure `));
      expect(put).toBe(file(`${start}--upgrade-complete --insecure `));
      expect(composeWithFlag(put ?? "")).toBe(put);
      expect(composeWithoutFlag(put ?? "")).toBe(file(`${start}--insecure `));
    },
  );

  it("is put nowhere where there is no start, or two", () => {
    expect(composeWithFlag(file(""))).toBeUndefined();
    expect(composeWithFlag(file("start --x; kwbase start --y "))).toBeUndefined();
    expect(composeWithFlag("services: [")).toBeUndefined();
  });

  it("is not taken out where that would leave another list", () => {
    const listed =
      "services:\n  db:\n    command:\n      - kwbase\n      - --upgrade-complete\n      - start\n";
    expect(composeWithoutFlag(listed)).toBeUndefined();
  });

  const composeFile = "/etc/kaiwudb/script/docker-compose.yml";
  const environment = "/etc/kaiwudb/script/kaiwudb_env";
  const mode = ["container", "multi-replication", "kwdb/kwdb:3.0.0", "/data", "26257", "8080", "kaiwudb"];

  function composeAgent(words: string): ContainerAgent {
    const of = new ContainerAgent({});
    const texts = {
      "/etc/kaiwudb/info/MODE": [...mode, "insecure", "false", "10.0.0.1", ""].join("\n"),
      [composeFile]: file(words),
      [environment]: line("--cache=1"),
    };
    for (const [path, text] of Object.entries(texts)) {
      mkdirSync(dirname(of.host.path(path)), { recursive: true });
      writeFileSync(of.host.path(path), text);
    }
    return of;
  }

  it("is put there by the agent, not into kaiwudb_env, and taken out of both", async () => {
    const of = composeAgent("start --insecure ");
    const at = (path: string) => readFileSync(of.host.path(path), "utf8");
    expect(await of.probe("add-upgrade-flag")).toBe("not-done");
    expect(await of.outcome("add-upgrade-flag")).toBe("done");
    expect(await of.probe("add-upgrade-flag")).toBe("done");
    expect(at(composeFile)).toContain("start --upgrade-complete --insecure");
    expect(at(environment)).toBe(line("--cache=1"));
    writeFileSync(of.host.path(environment), line("--upgrade-complete --cache=1"));
    expect(await of.probe("clear-upgrade-flag")).toBe("not-done");
    expect(await of.outcome("clear-upgrade-flag")).toBe("done");
    expect(await of.probe("clear-upgrade-flag")).toBe("done");
    expect(at(composeFile)).toBe(file("start --insecure "));
    expect(at(environment)).toBe(line("--cache=1"));
  });

  it("has no place where nothing is started", async () => {
    expect(await composeAgent("").outcome("add-upgrade-flag")).toBe("kwdb.compose-without-start");
  });
});
