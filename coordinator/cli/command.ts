/** What every command shares: the coordinator's address, the output format, and how a failure ends it. */
import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { render } from "#proto/catalogue/render.ts";
import { troubleOf } from "#proto/catalogue/trouble.ts";
import { type Failure, FailureError, failure } from "#proto/common/failure.ts";
import { splitAddress } from "#proto/common/loopback.ts";
import type { Document } from "#proto/gen/lockkeeper/v1/control_pb.ts";
import { type ControlClient, withLeader } from "./client.ts";
import { type ExitCode, exitCodeOf } from "./exit-code.ts";
import type { Paint } from "./render/style.ts";
import type { OutputFormat, Terminal } from "./terminal.ts";

export const defaultCoordinator = "127.0.0.1:7440";
export const coordinatorVariable = "LOCKKEEPER_COORDINATOR";

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
  /** After two seconds the person at the terminal is told that it is still waited for. */
  call<T>(use: (client: ControlClient) => Promise<T>): Promise<T>;
  /** The same without a word about waiting: for streams, which show their own life. */
  stream<T>(use: (client: ControlClient) => Promise<T>): Promise<T>;
  /** Prints the document as JSON, its parts as a line of JSON each, or the text made from it. */
  show<T>(document: T, text: (document: T) => string, parts?: (document: T) => readonly unknown[]): void;
}

const formats: readonly string[] = ["table", "json", "ndjson"] satisfies readonly OutputFormat[];

/** `file`: the value may also name a .json file to write. */
function outputOption(file: boolean) {
  return new Option(
    file ? "-o, --output <format|file.json>" : "-o, --output <format>",
    "table, json or ndjson",
  )
    .choices(formats)
    .argParser((value: string): OutputFormat => {
      if (formats.includes(value) || (file && value.endsWith(".json"))) return value as OutputFormat;
      throw new InvalidArgumentError(
        `Allowed: ${formats.join(", ")}${file ? ", or a file name ending in .json" : ""}.`,
      );
    })
    .default("table" as OutputFormat);
}

export interface CommandOptions {
  /** `-o` may name a .json file to write, too. */
  readonly outputFile?: boolean;
  /** Shown below the help, as typed. */
  readonly examples: readonly string[];
}

export function examplesText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  $ lockkeeper ${example}`).join("\n")}`;
}

export function command(name: string, summary: string, options: CommandOptions) {
  return new Command(name)
    .description(summary)
    .addHelpText("after", examplesText(options.examples))
    .addOption(
      new Option("--coordinator <addresses>", "host:port of the coordinator, several with commas")
        .env(coordinatorVariable)
        .argParser(addressesIn)
        .default(defaultCoordinator),
    )
    .addOption(outputOption(options.outputFile ?? false))
    .option("--no-color", "plain text (NO_COLOR works too)");
}

/** Without a port gRPC would take that of the web. */
function addressesIn(text: string): string {
  const addresses = text.split(",").map((address) => address.trim());
  if (addresses.every((address) => splitAddress(address) !== undefined)) return addresses.join(",");
  throw new InvalidArgumentError(`Each is host:port, for example ${defaultCoordinator}.`);
}

export function openSession(terminal: Terminal, options: CommonOptions): Session {
  const addresses = options.coordinator.split(",");
  const { clock } = terminal;
  return {
    terminal,
    output: options.output,
    paint: terminal.paint(options.color),
    call: (use) => waiting(terminal, options.coordinator, withLeader(addresses, clock, use)),
    stream: (use) => withLeader(addresses, clock, use),
    show: (document, text, parts) => {
      if (options.output === "table") terminal.data(text(document));
      else if (options.output === "json") terminal.data(JSON.stringify(document, null, 2));
      else for (const part of parts?.(document) ?? partsOf(document)) terminal.data(JSON.stringify(part));
    },
  };
}

/** Ends a command: the failure in words on stderr (as JSON where JSON was asked for), and its exit code. */
export function explainFailure(terminal: Terminal, output: OutputFormat, cause: Failure): ExitCode {
  if (output === "table") {
    const { says, next } = render(cause);
    terminal.note(`lockkeeper: ${says}`);
    const near = cause.facts["near"];
    if (near !== undefined) terminal.note(`  did you mean ${near}?`);
    if (next !== undefined) terminal.note(`  next: ${next}`);
  } else terminal.note(JSON.stringify({ failure: cause }));
  return exitCodeOf(cause.code);
}

export function failureOf(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  const { path, syscall } = error as Partial<NodeJS.ErrnoException>;
  if (path !== undefined && syscall !== undefined)
    return failure("internal.file", { path, cause: troubleOf(error) });
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

function partsOf(document: unknown): readonly unknown[] {
  return Array.isArray(document) ? document : [document];
}

const patienceMs = 2_000;

/** Says that it waits, and for how long by now, from the second second on. */
async function waiting<T>(terminal: Terminal, address: string, work: Promise<T>): Promise<T> {
  const { clock } = terminal;
  const beganMs = clock.monotonicMs();
  let cancel = () => {};
  const tick = () => {
    const seconds = Math.round((clock.monotonicMs() - beganMs) / 1_000);
    terminal.progress(`waiting for the coordinator (${address}), ${seconds} s …`);
    cancel = clock.after(1_000, tick);
  };
  cancel = clock.after(patienceMs, tick);
  try {
    return await work;
  } finally {
    cancel();
    terminal.progress(undefined);
  }
}

/** Parser of options that count: a whole number from 1. */
export function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("It is a whole number from 1.");
  return value;
}
