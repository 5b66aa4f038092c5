/** Answers from options, pgrepup's file and, at a terminal, a person. A password is read from a file or without an echo. */
import { FailureError, failure } from "#proto/common/failure.ts";
import { complaintsText } from "#proto/common/settings-file.ts";
import type { Terminal } from "../terminal.ts";
import { type Answers, type Given, toAnswers } from "./answers.ts";
import { interview, isTrusted } from "./interview.ts";
import { type PgrepupFile, type PgrepupServer, parsePgrepup } from "./pgrepup-file.ts";

export interface Wishes {
  readonly given: Given;
  readonly insecure: boolean;
  readonly oldPasswordFile?: string | undefined;
  readonly newPasswordFile?: string | undefined;
  readonly fromPgrepup?: string | undefined;
}

/** Throws FailureError: `init.pgrepup-unreadable`, `init.password`, `init.password-empty`, and those of the interview. */
export async function answersTo(
  terminal: Terminal,
  wishes: Wishes,
): Promise<{ readonly answers: Answers; readonly pgrepup: PgrepupFile | undefined }> {
  const { fromPgrepup: file, oldPasswordFile, newPasswordFile } = wishes;
  const pgrepup = file === undefined ? undefined : readPgrepup(await terminal.readFile(file), file);
  const old =
    (await passwordIn(terminal, oldPasswordFile, "--old-password-file")) ?? imported(pgrepup?.source, file);
  const young =
    (await passwordIn(terminal, newPasswordFile, "--new-password-file")) ??
    imported(pgrepup?.destination, file);
  const given = await interview(terminal, {
    ...(pgrepup === undefined ? {} : toGiven(pgrepup)),
    ...wishes.given,
  });
  const insecure = wishes.insecure || (await isTrusted(terminal, given.coordinator));
  const typed = (side: "old" | "new") =>
    terminal.askSecret(
      `Password of ${given[`${side}-user`]} at ${given[side]}; empty where none is asked for: `,
    );
  const oldPassword = old ?? (await typed("old")) ?? "";
  const newPassword = young ?? (await typed("new")) ?? "";
  return { answers: toAnswers({ given, insecure, oldPassword, newPassword }), pgrepup };
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

/** Read before anything is asked. */
async function passwordIn(
  terminal: Terminal,
  file: string | undefined,
  option: string,
): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const password = oneLine((await terminal.readFile(file)).replace(/\r?\n$/, ""), file);
  // who has none gives no file: an empty one was meant to have something in it
  if (password === "") throw new FailureError(failure("init.password-empty", { file, option }));
  return password;
}

/** Empty where pgrepup's file says that there is none. */
function imported(server: PgrepupServer | undefined, file = ""): string | undefined {
  return server === undefined ? undefined : oneLine(server.password, file);
}

function oneLine(password: string, from: string): string {
  if (/[\0\r\n]/.test(password)) throw new FailureError(failure("init.password", { from }));
  return password;
}
