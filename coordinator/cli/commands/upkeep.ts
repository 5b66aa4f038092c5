import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Caller, PushArtefactRequest } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import type { AuditEntry } from "../../domain/audit.ts";
import type { CheckResult } from "../../domain/check.ts";
import { command, read } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { countChecks, renderChecks } from "../render/checks.ts";
import { renderTable } from "../render/table.ts";
import { run, type Shell } from "../run.ts";

const chunkBytes = 64 * 1024;

export function auditCommand(shell: Shell): Command {
  const audit = command("audit", "Every order, acknowledgement and override, hash-linked")
    .option("--limit <count>", "how many of the newest", Number, 100)
    .action((options) =>
      run(shell, options, async (session) => {
        const { entries, chainHolds } = await session.call((client) =>
          client.listAudit({ limit: options.limit }),
        );
        session.show(
          entries.map((entry) => read<AuditEntry>(entry, "audit")),
          renderAudit,
        );
        session.terminal.note(
          chainHolds ? "the chain holds" : "THE CHAIN IS BROKEN: entries were changed or lost",
        );
        return chainHolds ? exitCodes.done : exitCodes.refused;
      }),
    );
  return audit as unknown as Command;
}

function renderAudit(entries: readonly AuditEntry[]): string {
  const rows = entries.map(({ at, who, deed, subject, reason }) => [at, who, deed, subject, reason]);
  return renderTable(["AT", "WHO", "DEED", "SUBJECT", "REASON"], rows);
}

export function doctorCommand(shell: Shell): Command {
  const doctor = command(
    "doctor",
    "Is the coordinator's own ground firm: NATS version, replicas, sync, clocks, disk",
  ).action((options) =>
    run(shell, options, async (session) => {
      const { findings } = await session.call((client) => client.doctor({}));
      const results = read<readonly CheckResult[]>(findings, "doctor");
      session.show(results, (list) => `${renderChecks(list, session.paint)}\n${countChecks(list)}`);
      return results.some(({ status }) => status === "ko" || status === "unknown")
        ? exitCodes.refused
        : exitCodes.done;
    }),
  );
  return doctor as unknown as Command;
}

export function artefactCommand(shell: Shell): Command {
  const group = new Command("artefact")
    .alias("artifact")
    .description("Packages kept by digest at the coordinator");
  group.addCommand(
    command("push", "Give a package to the coordinator")
      .argument("<file>")
      .action((file, options) =>
        run(shell, options, async (session) => {
          const digest = await digestOf(file);
          const { size } = await stat(file);
          session.terminal.note(`${basename(file)}: ${size} bytes, sha256:${digest}`);
          await session.call((client) =>
            client.pushArtefact(parts(file, digest, size, session.terminal.caller)),
          );
          session.show({ digest, name: basename(file), totalBytes: size }, (it) => it.digest);
          return exitCodes.done;
        }),
      ),
  );
  group.addCommand(
    command("list", "Packages that the coordinator has").action((options) =>
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

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

async function* parts(
  file: string,
  digest: string,
  totalBytes: number,
  caller: Caller,
): AsyncGenerator<PushArtefactRequest> {
  yield { part: { $case: "header", value: { caller, name: basename(file), digest, totalBytes } } };
  for await (const chunk of createReadStream(file, { highWaterMark: chunkBytes })) {
    yield { part: { $case: "chunk", value: chunk as Buffer } };
  }
}
