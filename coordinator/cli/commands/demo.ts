import { spawn } from "node:child_process";
import { access } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Argument, Command, Option } from "@commander-js/extra-typings";
import { examplesText } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import type { Shell } from "../run.ts";

export interface DemoProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly execPath: string;
}

const programs = { kwdb: "./demo/main.js", postgresql: "./demo/postgresql.js" } as const;
const engines = Object.keys(programs) as (keyof typeof programs)[];

/** Each demo is a program of its own beside the bundle: it needs stand-ins and servers that no coordinator has. */
export function demoCommand(shell: Shell, { env, execPath }: DemoProcess): Command {
  const command = new Command("demo")
    .description("Upgrade databases on this machine: stand-ins of KWDB, or PostgreSQL 15 to 18")
    .addHelpText(
      "after",
      examplesText(["demo", "demo --fail-at db2", "demo postgresql", "demo postgresql --back"]),
    )
    .addArgument(new Argument("[engine]", "kwdb or postgresql").choices(engines).default("kwdb" as const))
    .addOption(
      new Option("--fail-at <node>", "kwdb: this node does not come back").choices(["db1", "db2", "db3"]),
    )
    .option("--back", "postgresql: back again, after the new server has taken rows", false)
    .option("--keep", "leave the folder of the demo behind", false)
    .action(async (engine, { failAt, back, keep }) => {
      const program = fileURLToPath(new URL(programs[engine], import.meta.url));
      const why = (await isThere(program)) ? misplaced(engine, { failAt, back }) : notBeside;
      if (why !== undefined) {
        shell.terminal.note(`lockkeeper: ${why}`);
        return shell.exit(exitCodes.usage);
      }
      const args = [
        program,
        ...(failAt === undefined ? [] : ["--fail-at", failAt]),
        ...(back ? ["--back"] : []),
        ...(keep ? ["--keep"] : []),
      ];
      const child = spawn(execPath, args, { stdio: "inherit", env });
      const { interrupted } = shell.terminal;
      const forward = () => void child.kill(interrupted.reason === "SIGTERM" ? "SIGTERM" : "SIGINT");
      if (interrupted.aborted) forward();
      else interrupted.addEventListener("abort", forward, { once: true });
      const code = await new Promise<number>((resolve) =>
        child.on("close", (ended) => resolve(ended ?? exitCodes.detached)),
      );
      shell.exit(code as (typeof exitCodes)[keyof typeof exitCodes]);
    });
  return command as unknown as Command;
}

const notBeside = "the demo is not beside this program; make build puts it there";

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** An option that belongs to the other demo. */
function misplaced(
  engine: keyof typeof programs,
  { failAt, back }: { readonly failAt: string | undefined; readonly back: boolean },
): string | undefined {
  if (engine !== "kwdb" && failAt !== undefined)
    return `--fail-at belongs to the demo of kwdb, not of ${engine}`;
  return engine !== "postgresql" && back ? "--back belongs to the demo of postgresql" : undefined;
}
