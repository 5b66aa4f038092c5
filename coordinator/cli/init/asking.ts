/** Answers from options, pgrepup's file and, at a terminal, a person. A password is read from a file or without an echo. */
import { FailureError, failure } from "#proto/common/failure.ts";
import { isLoopback } from "#proto/common/loopback.ts";
import { complaintsText } from "#proto/common/settings-file.ts";
import type { Terminal } from "../terminal.ts";
import {
  type AnswerName,
  type Answers,
  coordinatorsIn,
  type Given,
  questions,
  toAnswers,
  withPort,
} from "./answers.ts";
import { type PgrepupFile, type PgrepupServer, parsePgrepup } from "./pgrepup-file.ts";

export interface Wishes {
  readonly given: Given;
  readonly insecure: boolean;
  readonly oldPasswordFile?: string | undefined;
  readonly newPasswordFile?: string | undefined;
  readonly fromPgrepup?: string | undefined;
}

/** Throws FailureError: `init.pgrepup-unreadable`, `init.answer-missing`, `init.answer-strange`, `init.one-server`, `init.insecure`, `init.password`. */
export async function answersTo(
  terminal: Terminal,
  wishes: Wishes,
): Promise<{ readonly answers: Answers; readonly pgrepup: PgrepupFile | undefined }> {
  const { fromPgrepup: file } = wishes;
  const pgrepup = file === undefined ? undefined : readPgrepup(await terminal.readFile(file), file);
  const given = await ask(terminal, { ...(pgrepup === undefined ? {} : toGiven(pgrepup)), ...wishes.given });
  if (withPort(given.old) === withPort(given.new) || given["old-node"] === given["new-node"])
    throw new FailureError(failure("init.one-server", { address: given.new, node: given["new-node"] }));
  const insecure = wishes.insecure || (await isTrusted(terminal, given.coordinator));
  const password = (side: "old" | "new", from: string | undefined, imported: string | undefined) =>
    passwordOf(terminal, { from, imported, user: given[`${side}-user`], at: given[side] });
  const answers = toAnswers({
    given,
    insecure,
    oldPassword: await password("old", wishes.oldPasswordFile, pgrepup?.source.password),
    newPassword: await password("new", wishes.newPasswordFile, pgrepup?.destination.password),
  });
  return { answers, pgrepup };
}

function readPgrepup(text: string, file: string): PgrepupFile {
  const read = parsePgrepup(text, file);
  if (read.ok) return read.value;
  throw new FailureError(failure("init.pgrepup-unreadable", { cause: complaintsText(read.complaints) }));
}

function toGiven({ source, destination }: PgrepupFile): Given {
  const address = ({ host, port }: PgrepupServer) =>
    host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  // a database is made from template1, or in its presence: nobody may be connected to it then
  const database = ({ connectDatabase }: PgrepupServer) =>
    connectDatabase === "template1" ? "postgres" : connectDatabase;
  return {
    old: address(source),
    new: address(destination),
    "old-user": source.user,
    "new-user": destination.user,
    "old-database": database(source),
    "new-database": database(destination),
  };
}

async function ask(terminal: Terminal, given: Given): Promise<Record<AnswerName, string>> {
  const answers: Record<string, string> = {};
  for (const question of questions) {
    const { name, asks, otherwise, isRight, mustBe } = question;
    const usual: string | undefined = otherwise(answers);
    const shown = usual === undefined ? "" : ` [${usual}]`;
    const typed = given[name] ?? (await terminal.ask(`${asks}${shown}: `))?.trim();
    const value = typed === undefined || typed === "" ? usual : typed;
    if (value === undefined) throw new FailureError(failure("init.answer-missing", { option: `--${name}` }));
    if (!isRight(value))
      throw new FailureError(failure("init.answer-strange", { option: `--${name}`, value, mustBe }));
    answers[name] = value;
  }
  return answers as Record<AnswerName, string>;
}

/** False where nobody needs to trust anything. */
async function isTrusted(terminal: Terminal, coordinator: string): Promise<boolean> {
  const far = coordinatorsIn(coordinator).find((each) => !isLoopback(each));
  if (far === undefined) return false;
  const said = await terminal.ask(
    `${far} is not on loopback: agents and coordinator speak in plain text. Do you trust that network? (yes/no) `,
  );
  if (said?.trim() === "yes") return true;
  throw new FailureError(failure("init.insecure", { coordinator: far }));
}

interface Wanted {
  readonly from: string | undefined;
  readonly imported: string | undefined;
  readonly user: string;
  readonly at: string;
}

async function passwordOf(terminal: Terminal, { from, imported, user, at }: Wanted): Promise<string> {
  const text =
    from !== undefined
      ? (await terminal.readFile(from)).replace(/\r?\n$/, "")
      : (imported ??
        (await terminal.askSecret(`Password of ${user} at ${at}; empty where none is asked for: `)));
  if (/[\0\r\n]/.test(text ?? "")) throw new FailureError(failure("init.password", { user, at }));
  return text ?? "";
}
