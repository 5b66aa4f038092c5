import { Command } from "@commander-js/extra-typings";
import { describe, expect, it } from "vitest";
import { suggestions } from "#coordinator/cli/commands/completion.ts";
import { processTerminal } from "#coordinator/cli/process-terminal.ts";
import { buildProgram } from "#coordinator/cli/program.ts";
import { systemClock } from "#proto/common/clock.ts";

const silent = { isTTY: false, write: () => true } as unknown as NodeJS.WriteStream;
const program = buildProgram(
  {
    exit: () => undefined,
    terminal: processTerminal({
      stdin: { isTTY: false } as NodeJS.ReadStream,
      stdout: silent,
      stderr: silent,
      env: {},
      clock: systemClock,
      caller: { user: "u", host: "h" },
      version: "0",
      interrupted: new AbortController().signal,
    }),
  },
  { serve: new Command("serve") as never, demo: new Command("demo") as never },
);

describe("completion", () => {
  it.each<readonly [readonly string[], readonly string[]]>([
    [["sna"], ["snapshot"]],
    [
      ["snapshot", ""],
      ["diff", "list", "show", "take"],
    ],
    [["artifact", "p"], ["push"]],
    [["plan", "--str"], ["--strategy"]],
    [["cluster", "apply", "--pr"], ["--prune"]],
    [
      ["plan", "billing", "--strategy", ""],
      ["move", "offline", "rolling"],
    ],
    [["node", "list", "-o", "j"], ["json"]],
    [
      ["completion", ""],
      ["bash", "fish", "words", "zsh"],
    ],
    [["help", "pg"], ["pgrepup"]],
    [
      ["help", "cluster", "d"],
      ["diff", "discover"],
    ],
    [["nothing", "x"], []],
  ])("after %j", (words, wanted) => {
    expect(suggestions(program, words)).toEqual(wanted);
  });

  it("offers nothing that help hides", () => {
    expect(suggestions(program, ["plan", "--art"])).toEqual(["--artefact"]);
  });

  it("every command has a help with an example that its own parser takes", () => {
    const leaves = (command: Command): Command[] =>
      command.commands.length === 0
        ? [command]
        : command.commands.flatMap((each) => leaves(each as unknown as Command));
    const own = new Set(["serve", "demo", "version", "help"]);
    for (const leaf of leaves(program).filter((each) => !own.has(each.name()))) {
      let help = "";
      leaf.configureOutput({ writeOut: (text) => (help += text) });
      leaf.outputHelp();
      expect(help, leaf.name()).toMatch(new RegExp(`Examples:\\n {2}\\$ lockkeeper .*${leaf.name()}`));
    }
  });
});
