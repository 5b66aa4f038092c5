import { spawn } from "node:child_process";
import { access } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Command, Option } from "@commander-js/extra-typings";
import { examplesText } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import type { Shell } from "../run.ts";

export interface DemoProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly execPath: string;
}

/** The demo is a program of its own beside the bundle: it needs stand-ins that no coordinator has. */
export function demoCommand(shell: Shell, { env, execPath }: DemoProcess): Command {
  const command = new Command("demo")
    .description(
      "Upgrade three stand-in database nodes on this machine, for real: coordinator, NATS, gRPC, agents",
    )
    .addHelpText("after", examplesText(["demo", "demo --fail-at db2"]))
    .argument("[engine]", "kwdb", "kwdb")
    .addOption(new Option("--fail-at <node>", "this node does not come back").choices(["db1", "db2", "db3"]))
    .option("--keep", "leave the folder of the demo behind", false)
    .action(async (engine, { failAt, keep }) => {
      const program = fileURLToPath(new URL("./demo/main.js", import.meta.url));
      const there = await access(program).then(
        () => true,
        () => false,
      );
      if (!there || engine !== "kwdb") {
        shell.terminal.note(
          there
            ? `lockkeeper: there is no demo of ${engine}; there is one of kwdb`
            : "lockkeeper: the demo is not beside this program; make build puts it there",
        );
        return shell.exit(exitCodes.usage);
      }
      const args = [
        program,
        ...(failAt === undefined ? [] : ["--fail-at", failAt]),
        ...(keep ? ["--keep"] : []),
      ];
      const child = spawn(execPath, args, { stdio: "inherit", env });
      const forward = () => void child.kill("SIGINT");
      shell.terminal.interrupted.addEventListener("abort", forward, { once: true });
      const code = await new Promise<number>((resolve) =>
        child.on("close", (ended) => resolve(ended ?? exitCodes.detached)),
      );
      shell.exit(code as (typeof exitCodes)[keyof typeof exitCodes]);
    });
  return command as unknown as Command;
}
