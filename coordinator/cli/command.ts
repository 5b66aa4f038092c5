/** What every command shares: the coordinator's address, the output format, and how a failure ends it. */
import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { render } from "#proto/catalogue/render.ts";
import { type Failure, FailureError, failure } from "#proto/common/failure.ts";
import type { Document } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import { type ControlClient, withLeader } from "./client.ts";
import { type ExitCode, exitCodeOf } from "./exit-code.ts";
import type { Paint } from "./render/style.ts";
import type { OutputFormat, Terminal } from "./terminal.ts";

export const defaultCoordinator = "127.0.0.1:7440";

export interface CommonOptions {
  readonly coordinator: string;
  readonly output: OutputFormat;
  readonly color: boolean;
}

/** A running command's means: it asks the coordinator, and says data or notes in the wanted format. */
export interface Session {
  readonly terminal: Terminal;
  readonly output: OutputFormat;
  readonly paint: Paint;
  call<T>(use: (client: ControlClient) => Promise<T>): Promise<T>;
  /** Prints the document as JSON, or the text made from it. */
  show<T>(document: T, text: (document: T) => string): void;
}

const formats: readonly string[] = ["table", "json", "ndjson"] satisfies readonly OutputFormat[];

/** `file`: the value may also name a .json file to write. */
function outputOption(file: boolean) {
  return new Option(
    file ? "-o, --output <format|file.json>" : "-o, --output <format>",
    "table, json or ndjson",
  )
    .argParser((value: string): OutputFormat => {
      if (formats.includes(value) || (file && value.endsWith(".json"))) return value as OutputFormat;
      throw new InvalidArgumentError(
        `Allowed: ${formats.join(", ")}${file ? ", or a file name ending in .json" : ""}.`,
      );
    })
    .default("table" as OutputFormat);
}

export function command(name: string, summary: string, options: { readonly outputFile?: boolean } = {}) {
  return new Command(name)
    .description(summary)
    .addOption(
      new Option("--coordinator <addresses>", "host:port of the coordinator, several with commas")
        .env("LOCKKEEPER_COORDINATOR")
        .default(defaultCoordinator),
    )
    .addOption(outputOption(options.outputFile ?? false))
    .option("--no-color", "plain text (NO_COLOR works too)");
}

export function openSession(terminal: Terminal, options: CommonOptions): Session {
  const addresses = options.coordinator.split(",").map((address) => address.trim());
  return {
    terminal,
    output: options.output,
    paint: terminal.paint(options.color),
    call: (use) => withLeader(addresses, use),
    show: (document, text) => {
      if (options.output === "table") terminal.data(text(document));
      else terminal.data(options.output === "json" ? JSON.stringify(document, null, 2) : toLines(document));
    },
  };
}

/** Ends a command: the failure in words on stderr (as JSON where JSON was asked for), and its exit code. */
export function explainFailure(terminal: Terminal, output: OutputFormat, cause: Failure): ExitCode {
  if (output === "table") {
    const { says, next } = render(cause);
    terminal.note(`lockkeeper: ${says}`);
    if (next !== undefined) terminal.note(`  next: ${next}`);
  } else terminal.note(JSON.stringify({ failure: cause }));
  return exitCodeOf(cause.code);
}

export function failureOf(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return failure("internal.unexpected", { cause });
}

/** The JSON of a document of the control service, unparsed fields refused nowhere: the server owns its schema. */
export function read<T>(document: Document | undefined, kind: string): T {
  if (document === undefined || document.kind !== kind) {
    throw new FailureError(failure("internal.document", { wanted: kind, got: document?.kind ?? "nothing" }));
  }
  return JSON.parse(Buffer.from(document.json).toString("utf8")) as T;
}

function toLines(document: unknown): string {
  return Array.isArray(document)
    ? document.map((item) => JSON.stringify(item)).join("\n")
    : JSON.stringify(document);
}
