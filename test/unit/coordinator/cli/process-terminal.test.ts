import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { openSession } from "#coordinator/cli/command.ts";
import { processTerminal } from "#coordinator/cli/process-terminal.ts";
import { systemClock } from "#proto/common/clock.ts";
import { VirtualClock } from "#test/flow/engine/virtual-clock.ts";

const esc = String.fromCharCode(27);

function stream(isTTY: boolean) {
  const said: string[] = [];
  const write = (text: string) => said.push(text) > 0;
  const nothing = () => undefined;
  const events = { on: nothing, off: nothing, removeListener: nothing };
  return {
    stream: { ...events, isTTY, columns: 80, rows: 10, write } as unknown as NodeJS.WriteStream,
    said,
  };
}

function terminalOn(
  isTTY: boolean,
  env: Readonly<Record<string, string>> = {},
  clock = systemClock,
  stdin = { isTTY: false } as NodeJS.ReadStream,
) {
  const [out, err] = [stream(isTTY), stream(isTTY)];
  const terminal = processTerminal({
    stdin,
    stdout: out.stream,
    stderr: err.stream,
    env,
    clock,
    caller: { user: "ann", host: "h" },
    version: "0",
    interrupted: new AbortController().signal,
  });
  return { terminal, out: () => out.said.join(""), err: () => err.said.join("") };
}

describe("the terminal of a process", () => {
  it("keeps data on stdout and messages on stderr", () => {
    const { terminal, out, err } = terminalOn(false);
    terminal.data("data");
    terminal.note("note");
    expect([out(), err()]).toEqual(["data\n", "note\n"]);
  });

  it("shows nothing of a secret that is typed, and takes Ctrl-C for no answer", async () => {
    const typing = (keys: string) => {
      const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
      setTimeout(() => stdin.write(keys), 20);
      return terminalOn(true, {}, systemClock, stdin as unknown as NodeJS.ReadStream);
    };
    const told = typing("s3cret\r");
    expect(await told.terminal.askSecret("Password: ")).toBe("s3cret");
    expect(told.err()).toBe("Password: \n");
    expect(told.out()).toBe("");
    await expect(typing("s3c\u0003").terminal.askSecret("Password: ")).rejects.toThrow("cli.interrupted");
    await expect(typing("\u0003").terminal.ask("Name: ")).rejects.toThrow("cli.interrupted");
    expect(await terminalOn(false).terminal.askSecret("Password: ")).toBeUndefined();
  });

  it("neither colours nor redraws without a terminal, and asks nobody", async () => {
    const { terminal, out } = terminalOn(false);
    terminal.draw(["picture"]);
    terminal.data(terminal.paint(true)("bad", "text"));
    expect(out()).toBe("text\n");
    expect(terminal.redraws).toBe(false);
    expect(await terminal.ask("sure?")).toBeUndefined();
  });

  it.each<readonly [string, Readonly<Record<string, string>>, boolean, boolean]>([
    ["a terminal", {}, true, true],
    ["NO_COLOR", { NO_COLOR: "1" }, false, true],
    ["a NO_COLOR that is empty", { NO_COLOR: "" }, true, true],
    ["a dumb terminal", { TERM: "dumb" }, false, false],
  ])("%s", (_, env, colours, redraws) => {
    const { terminal } = terminalOn(true, env);
    expect(terminal.paint(true)("bad", "x") !== "x").toBe(colours);
    expect(terminal.paint(false)("bad", "x")).toBe("x");
    expect(terminal.redraws).toBe(redraws);
  });

  it("takes the picture away before it says something on the other stream", () => {
    const { terminal, out, err } = terminalOn(true);
    terminal.draw(["picture"]);
    terminal.note("note");
    expect(out().endsWith(`${esc}[1A\r${esc}[J`)).toBe(true);
    expect(err()).toBe("note\n");
  });
});

describe("a command that waits", () => {
  const options = { coordinator: "c:1", output: "table", color: true } as const;

  async function waitedFor(isTTY: boolean, ms: number): Promise<string> {
    const clock = new VirtualClock();
    const { terminal, err } = terminalOn(isTTY, {}, clock);
    let answered = false;
    const call = openSession(terminal, options).call(() => clock.sleep(ms));
    void call.then(() => {
      answered = true;
    });
    await clock.until(() => answered);
    return err();
  }

  it("says so from the second second on: in place on a terminal, once elsewhere", async () => {
    expect(await waitedFor(false, 1_900)).toBe("");
    expect(await waitedFor(false, 9_000)).toBe("waiting for the coordinator (c:1), 2 s …\n");
    const inPlace = await waitedFor(true, 5_500);
    expect(inPlace).toContain("5 s …");
    expect(inPlace).not.toContain("\n");
    expect(inPlace.endsWith(`\r${esc}[K`)).toBe(true);
  });
});
