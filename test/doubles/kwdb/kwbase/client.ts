/** The commands that ask a running node: status, sql, drain, quit, init, upgrade, decommission, ls. */
import { setTimeout as sleep } from "node:timers/promises";
import { readCerts } from "./certs.ts";
import { CliError } from "./cli-error.ts";
import { connectionFlags, type Flags, flag, isSet, parseFlags } from "./flags.ts";
import { formatOf, render, type Table } from "./table.ts";
import { ask, type Frame, type Reply, speakAs } from "./wire.ts";

const refusedText = (cause: string) =>
  `cannot dial server.\nIs the server running?\nIf the server is running, check --host client-side and --advertise server-side.\n\n${cause}`;

function dialError({ address, secure }: ReturnType<typeof target>, error: unknown): CliError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (secure && code === "ECONNRESET")
    return new CliError("cannot establish secure connection to insecure server.\nMaybe use --insecure?\n");
  const cause =
    {
      ECONNREFUSED: "connect: connection refused",
      ETIMEDOUT: "i/o timeout",
      ECONNRESET: "read: connection reset by peer",
    }[code] ?? String(error);
  return new CliError(refusedText(`dial tcp ${address}: ${cause}`));
}

function target(flags: Flags): { readonly address: string; readonly secure: boolean } {
  const host = flag(flags, "host") ?? process.env["KWBASE_HOST"] ?? "127.0.0.1:26257";
  const insecure = isSet(flags, "insecure") || process.env["KWBASE_INSECURE"] === "true";
  const certs = flag(flags, "certs-dir") ?? process.env["KWBASE_CERTS_DIR"];
  if (!insecure && certs === undefined) {
    throw new CliError(
      "cannot load certificates.\nCheck your certificate settings, set --certs-dir, or use --insecure for insecure clusters.\n\nproblem with CA certificate: not found",
    );
  }
  if (!insecure && certs !== undefined) speakAs(readCerts(certs, "client.root"));
  return { address: host.includes(":") ? host : `${host}:26257`, secure: !insecure };
}

/** Each reply of the node; a refusal by the node is thrown in its words. */
async function* asking(
  flags: Flags,
  frame: Frame,
  deadlineMs = Number(process.env["KWBASE_CONNECT_TIMEOUT"] ?? 15) * 1000,
): AsyncGenerator<Reply> {
  const to = target(flags);
  const { address, secure } = to;
  const replies = ask(address, { ...frame, secure }, deadlineMs);
  try {
    for (;;) {
      const next = await replies.next().catch((error: unknown) => {
        throw dialError(to, error);
      });
      if (next.done === true) return;
      if (next.value.error !== undefined) throw new CliError(next.value.error);
      yield next.value;
    }
  } finally {
    await replies.return(undefined);
  }
}

async function askNode(flags: Flags, frame: Frame): Promise<Reply> {
  for await (const reply of asking(flags, frame)) return reply;
  return {};
}

function print(flags: Flags, table: Table | undefined): void {
  const format = formatOf(flag(flags, "format"), process.stdout.isTTY);
  if (table !== undefined) process.stdout.write(render(table, format));
}

const idsOf = (flags: Flags): readonly number[] =>
  flags.positional.map((word) => {
    if (!/^\d+$/.test(word))
      throw new CliError(`unable to parse ${word}: strconv.ParseInt: parsing "${word}": invalid syntax`);
    return Number(word);
  });

export async function status(argv: readonly string[]): Promise<void> {
  const flags = parseFlags(argv, {
    ...connectionFlags,
    ranges: "switch",
    stats: "switch",
    decommission: "switch",
    all: "switch",
  });
  const extras = ["ranges", "stats", "decommission"].filter(
    (name) => isSet(flags, name) || isSet(flags, "all"),
  );
  formatOf(flag(flags, "format"), false);
  const reply = await askNode(flags, { rpc: "status", ids: idsOf(flags), extras });
  print(flags, reply.table);
}

export async function ls(argv: readonly string[]): Promise<void> {
  const flags = parseFlags(argv, connectionFlags);
  const reply = await askNode(flags, { rpc: "status", ids: [], extras: [] });
  print(flags, { columns: ["id"], rows: (reply.table?.rows ?? []).map((row) => [row[0] ?? null]) });
}

export async function sql(argv: readonly string[]): Promise<void> {
  const flags = parseFlags(argv, {
    ...connectionFlags,
    execute: "value",
    set: "value",
    database: "value",
    user: "value",
  });
  const statements = flags.values.get("execute") ?? [];
  if (statements.length === 0) throw new CliError("the stand-in has no interactive shell: use -e");
  formatOf(flag(flags, "format"), false);
  const goOn = (flags.values.get("set") ?? []).includes("errexit=false");
  for (const [at, statement] of statements.entries()) {
    try {
      const reply = await askNode(flags, { rpc: "sql", statement });
      if (reply.tag !== undefined) process.stdout.write(`${reply.tag}\n`);
      print(flags, reply.table);
    } catch (error) {
      if (!goOn || at === statements.length - 1) throw error;
      process.stderr.write(`ERROR: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}

async function drained(flags: Flags): Promise<void> {
  const minutes = Number(/^(\d+)m/.exec(flag(flags, "drain-wait") ?? "10m")?.[1] ?? 0);
  const seconds = Number(/(\d+)s$/.exec(flag(flags, "drain-wait") ?? "")?.[1] ?? 0);
  for await (const reply of asking(flags, { rpc: "drain" }, (minutes * 60 + seconds) * 1000)) {
    const remaining = reply["remaining"];
    if (typeof remaining === "number")
      process.stderr.write(
        `node is draining... remaining: ${remaining}${remaining === 0 ? " (complete)" : ""}\n`,
      );
  }
}

export async function drain(argv: readonly string[]): Promise<void> {
  const flags = parseFlags(argv, { ...connectionFlags, "drain-wait": "value" });
  await drained(flags).catch((error: unknown) => {
    throw error instanceof Error && error.message.endsWith("i/o timeout")
      ? new CliError("drain timeout")
      : error;
  });
  process.stdout.write("ok\n");
}

export async function quit(argv: readonly string[]): Promise<void> {
  const flags = parseFlags(argv, { ...connectionFlags, "drain-wait": "value", decommission: "switch" });
  await drained(flags);
  await askNode(flags, { rpc: "quit" });
  process.stdout.write("ok\n");
}

export async function init(argv: readonly string[]): Promise<void> {
  const flags = parseFlags(argv, connectionFlags);
  for (;;) {
    try {
      await askNode(flags, { rpc: "init" });
      process.stdout.write("Cluster successfully initialized\n");
      return;
    } catch (error) {
      if (!(error instanceof CliError) || !error.message.startsWith("cannot dial")) throw error;
      process.stderr.write(
        "warning: node not ready to perform cluster initialization: connection refused (retrying)\n",
      );
      await sleep(1000);
    }
  }
}

/** The client looks first: each node must be there and healthy. Its refusal goes to stdout and, as the error, to stderr. */
export async function upgrade(argv: readonly string[]): Promise<void> {
  const flags = parseFlags(argv, connectionFlags);
  if (flags.positional.length === 0) throw new CliError("requires at least 1 arg(s), only received 0");
  const seen = (await askNode(flags, { rpc: "status", ids: [], extras: ["decommission"] })).table?.rows ?? [];
  const unfit = (hint: string): never => {
    process.stdout.write(`Upgrade ternimated. Hint: ${hint}\n`);
    throw new CliError(`Upgrade ternimated. Hint: ${hint}`);
  };
  for (const id of idsOf(flags)) {
    const row = seen.find((found) => found[0] === id) ?? unfit(`cannot find status of node ${id}`);
    if (row[8] !== true || row[9] !== true)
      unfit(`node ${id} is not eligible to upgrade, check the node status and upgrader later.`);
  }
  await askNode(flags, { rpc: "upgrade", ids: idsOf(flags) });
}

export async function decommission(argv: readonly string[]): Promise<void> {
  const flags = parseFlags(argv, { ...connectionFlags, wait: "value" });
  if (flags.positional.length === 0) throw new CliError("no node ID specified");
  const reply = await askNode(flags, { rpc: "decommission", ids: idsOf(flags) });
  print(flags, reply.table);
  process.stdout.write(
    "\nNo more data reported on target nodes. Please verify cluster health before removing the nodes.\n",
  );
}
