import { Command } from "@commander-js/extra-typings";
import { examplesText, explainFailure, failureOf } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import type { Given } from "../init/answers.ts";
import { answersTo } from "../init/asking.ts";
import { filesOf } from "../init/files.ts";
import { renderWritten } from "../init/words.ts";
import { writeAll } from "../init/writing.ts";
import type { Shell } from "../run.ts";

export function initCommand(shell: Shell): Command {
  const group = new Command("init").description(
    "Write the first files: an inventory, and what each host needs",
  );
  group.addCommand(postgresqlCommand(shell));
  return group as unknown as Command;
}

/** Everything that is not given as an option is asked at the terminal; without a terminal the default is taken. */
function postgresqlCommand(shell: Shell): Command {
  const command = new Command("postgresql")
    .description("Two servers of PostgreSQL, an old one and a new one; asks for what is not given")
    .addHelpText(
      "after",
      examplesText([
        "init postgresql",
        "init postgresql --from-pgrepup ~/.pgrepup",
        "init postgresql --cluster orders --old 10.0.0.11 --new 10.0.0.12 --coordinator 10.0.0.5:7440 --insecure",
      ]),
    )
    .option("-o, --output <folder>", "where the files are written", "./lockkeeper")
    .option("--force", "write over files that are there", false)
    .option("--from-pgrepup <file>", "take addresses, users and passwords from the file of pgrepup config")
    .option("--cluster <name>", "the cluster that goes over (default: postgresql)")
    .option("--into <name>", "the new cluster (default: CLUSTER-new)")
    .option("--to <version>", "major version of the new server (default: 18)")
    .option("--old <address>", "the old server: host or host:port")
    .option("--new <address>", "the new server: host or host:port")
    .option("--old-node <name>", "the old server's node (default: CLUSTER-1)")
    .option("--new-node <name>", "the new server's node (default: NEW-1)")
    .option("--old-user <role>", "a superuser of the old server (default: postgres)")
    .option("--new-user <role>", "a superuser of the new server (default: postgres)")
    .option("--old-database <name>", "to connect to on the old server (default: postgres)")
    .option("--new-database <name>", "to connect to on the new server (default: postgres)")
    .option("--old-password-file <file>", "a file with the password alone; never the password itself")
    .option("--new-password-file <file>", "the same, of the new server")
    .option("--tools <folder>", "psql, pg_dump, pg_dumpall, pg_restore (default: /usr/lib/postgresql/TO/bin)")
    .option(
      "--coordinator <addresses>",
      "whom the agents dial (default, with both servers on loopback: 127.0.0.1:7440)",
    )
    .option("--insecure", "the network to the coordinator is trusted: plain text is allowed", false)
    .action(async ({ output, force, fromPgrepup, insecure, oldPasswordFile, newPasswordFile, ...rest }) => {
      try {
        const wishes = { given: toGiven(rest), insecure, fromPgrepup, oldPasswordFile, newPasswordFile };
        const { answers, pgrepup } = await answersTo(shell.terminal, wishes);
        const files = filesOf(answers);
        await writeAll(output, files, { force });
        shell.terminal.data(renderWritten({ folder: output.replace(/\/+$/, ""), answers, files, pgrepup }));
        shell.exit(exitCodes.done);
      } catch (error) {
        shell.exit(explainFailure(shell.terminal, "table", failureOf(error)));
      }
    });
  return command as unknown as Command;
}

/** Commander names an option's value in camel case. */
function toGiven(options: Readonly<Record<string, string | undefined>>): Given {
  return Object.fromEntries(
    Object.entries(options).flatMap(([key, value]) =>
      value === undefined ? [] : [[key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), value]],
    ),
  );
}
