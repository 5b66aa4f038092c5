import { basename } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { FailureError, failure } from "#proto/common/failure.ts";
import type { AuditEnds, AuditEntry } from "../../domain/audit.ts";
import type { CheckResult } from "../../domain/check.ts";
import { localArtefact, push } from "../artefact.ts";
import { command, count, read } from "../command.ts";
import { exitCodeOfChecks, exitCodes } from "../exit-code.ts";
import { countChecks, renderChecks } from "../render/checks.ts";
import { renderTable } from "../render/table.ts";
import { run, type Shell } from "../run.ts";

export function auditCommand(shell: Shell): Command {
  const audit = command("audit", "Every order, acknowledgement and override, hash-linked", {
    examples: ["audit", "audit --limit 1000 -o ndjson"],
  })
    .option("--limit <count>", "how many of the newest", count, 100)
    .action((options) =>
      run(shell, options, async (session) => {
        const { entries, chainHolds, ends } = await session.call((client) =>
          client.listAudit({ limit: options.limit }),
        );
        const { kept, lost } = read<AuditEnds>(ends, "audit-ends");
        session.show(
          entries.map((entry) => read<AuditEntry>(entry, "audit")),
          renderAudit,
        );
        for (const line of verdictOn(chainHolds, kept, lost)) session.terminal.note(line);
        return chainHolds && lost.length === 0 ? exitCodes.done : exitCodes.refused;
      }),
    );
  return audit as unknown as Command;
}

function verdictOn(chainHolds: boolean, kept: AuditEnds["kept"], lost: AuditEnds["lost"]): readonly string[] {
  const keepers = kept.filter(({ sequence }) => sequence !== undefined).map(({ node }) => node);
  return [
    chainHolds ? "the chain holds" : "THE CHAIN IS BROKEN: entries were changed or lost",
    ...lost.map(
      ({ node, head, at }) =>
        `ITS END WAS LOST: ${node} kept ${head.slice(0, 12)}, which the log did not have on ${at}`,
    ),
    keepers.length === 0 ? "no attached agent keeps its end" : `its end is kept by ${keepers.join(", ")}`,
  ];
}

function renderAudit(entries: readonly AuditEntry[]): string {
  const rows = entries.map(({ at, who, deed, subject, reason }) => [at, who, deed, subject, reason]);
  return renderTable(["AT", "WHO", "DEED", "SUBJECT", "REASON"], rows);
}

export function doctorCommand(shell: Shell): Command {
  const doctor = command("doctor", "Is the coordinator's own ground firm: NATS, JetStream, names of agents", {
    examples: ["doctor", "doctor --coordinator 10.0.0.5:7440"],
  }).action((options) =>
    run(shell, options, async (session) => {
      const { findings } = await session.call((client) => client.doctor({}));
      const results = read<readonly CheckResult[]>(findings, "doctor");
      session.show(results, (list) => `${renderChecks(list, session.paint)}\n${countChecks(list)}`);
      return exitCodeOfChecks(results);
    }),
  );
  return doctor as unknown as Command;
}

export function artefactCommand(shell: Shell): Command {
  const group = new Command("artefact")
    .alias("artifact")
    .description("Packages kept by digest at the coordinator");
  group.addCommand(
    command("push", "Give a package to the coordinator", { examples: ["artefact push KWDB-3.1.0.tar.gz"] })
      .argument("<file>")
      .action((file, options) =>
        run(shell, options, async (session) => {
          const local = await localArtefact(session, file);
          if (local === undefined)
            throw new FailureError(
              failure("cli.file-unreadable", { path: file, cause: "there is no such file" }),
            );
          await push(session, local);
          const { digest, totalBytes } = local;
          session.show({ digest, name: basename(file), totalBytes }, (it) => it.digest);
          return exitCodes.done;
        }),
      ),
  );
  group.addCommand(
    command("list", "Packages that the coordinator has", {
      examples: ["artefact list", "artefact list -o json"],
    }).action((options) =>
      run(shell, options, async (session) => {
        const { artefacts } = await session.call((client) => client.listArtefacts({}));
        session.show(artefacts, (list) =>
          renderTable(
            ["SHA256", "NAME", "BYTES"],
            list.map(({ digest, name, totalBytes }) => [digest, name, String(totalBytes)]),
          ),
        );
        return exitCodes.done;
      }),
    ),
  );
  return group as unknown as Command;
}
