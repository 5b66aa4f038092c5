import { describe, expect, it } from "vitest";
import { journalArgv, parseJournal } from "#test/lab/harness/journal.ts";
import { mirrorIn } from "#test/lab/harness/mirror.ts";
import { run } from "#test/lab/harness/run.ts";

describe("the archive that roots are built from", () => {
  it("is Debian's own main section, not a security archive or another vendor's", () => {
    const targets = [
      "Node Source|Node Source|main|Packages|https://elsewhere.example/node",
      "Debian|Debian-Security|main|Packages|http://mirror.example/debian-security/",
      "Debian|Debian|main|Translations|http://mirror.example/translations/",
      "Debian|Debian|main|Packages|http://mirror.example/debian/",
    ];
    expect(mirrorIn(targets.join("\n"))).toBe("http://mirror.example/debian/");
    expect(mirrorIn(targets.slice(0, 3).join("\n"))).toBeUndefined();
  });
});

describe("a host's journal", () => {
  it("is asked for from a moment on, to the millisecond", () => {
    expect(journalArgv({ unit: "kaiwudb", since: new Date(1_700_000_000_250) })).toEqual(
      expect.arrayContaining(["--unit=kaiwudb", "--since=@1700000000.250"]),
    );
  });

  it("is read with its own times, binary fields left out", () => {
    const line = { __REALTIME_TIMESTAMP: "1700000000250999", MESSAGE: "Started.", _PID: "1", BLOB: [1, 2] };
    expect(parseJournal(`${JSON.stringify(line)}\n\n`)).toEqual([
      {
        at: new Date(1_700_000_000_250.999),
        message: "Started.",
        fields: { __REALTIME_TIMESTAMP: "1700000000250999", MESSAGE: "Started.", _PID: "1" },
      },
    ]);
  });
});

describe("a bounded run", () => {
  it("ends with the program, not with an orphan that still holds its output", async () => {
    const before = performance.now();
    const result = await run(["sh", "-c", "sleep 20 & echo done; echo $!"], { timeoutMs: 10_000 });
    process.kill(Number(result.stdout.trim().split("\n")[1]), "SIGKILL");
    expect(result).toMatchObject({ code: 0, timedOut: false });
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  it("ends the whole group at its limit and keeps the last of a long output", async () => {
    const result = await run(["sh", "-c", "yes line; echo never"], { timeoutMs: 200, maxBytes: 4_096 });
    expect(result).toMatchObject({ code: null, timedOut: true });
    expect(result.stdout.length).toBeLessThan(200_000);
  });

  it("says in its answer that a program is not there", async () => {
    const result = await run(["/nowhere/at-all"]);
    expect(result.code).toBeNull();
    expect(result.stderr).toContain("ENOENT");
  });
});
