/** Each question's answer: from an option, from a person, or what stands in for it. Only an option's mistake is an end. */
import { render } from "#proto/catalogue/render.ts";
import { type Failure, FailureError, failure } from "#proto/common/failure.ts";
import { isLoopback } from "#proto/common/loopback.ts";
import type { Terminal } from "../terminal.ts";
import { type AnswerName, coordinatorsIn, type Given, partnerOf, questions, withPort } from "./answers.ts";

type Question = (typeof questions)[number];
type SoFar = Readonly<Partial<Record<AnswerName, string>>>;

/** Throws FailureError: `init.answer-missing`, `init.coordinator-missing`, `init.answer-strange`, `init.same`. */
export async function interview(terminal: Terminal, given: Given): Promise<Record<AnswerName, string>> {
  // an option's mistake is told before anybody has typed a word
  for (const question of questions) tryOption(question, given);
  const answers: Partial<Record<AnswerName, string>> = { ...given };
  for (const question of questions) answers[question.name] ??= await answerOf(terminal, question, answers);
  return answers as Record<AnswerName, string>;
}

function tryOption(question: Question, given: Given): void {
  const value = given[question.name];
  if (value !== undefined) refuse(question, value, given);
}

/** In the words of options. */
function refuse({ name, isRight, mustBe }: Question, value: string, soFar: SoFar): void {
  const option = `--${name}`;
  if (!isRight(value)) throw new FailureError(failure("init.answer-strange", { option, value, mustBe }));
  const other = twinOf(name, value, soFar);
  if (other !== undefined)
    throw new FailureError(failure("init.same", { option, other: `--${other}`, value }));
}

/** Asked until the answer can be taken; without a terminal what stands in is taken, or it is refused. */
async function answerOf(terminal: Terminal, question: Question, soFar: SoFar): Promise<string> {
  const usual: string | undefined = question.otherwise(soFar as Readonly<Record<string, string>>);
  const shown = usual === undefined ? "" : ` [${usual}]`;
  for (;;) {
    const typed = (await terminal.ask(`${question.asks}${shown}: `))?.trim();
    const value = typed === undefined || typed === "" ? usual : typed;
    if (typed === undefined) return standIn(question, value, soFar);
    const wrong = whyNot(question, value, soFar);
    if (wrong === undefined && value !== undefined) return value;
    if (wrong !== undefined) terminal.note(`  ${render(wrong).says}`);
  }
}

function whyNot(
  { name, isRight, mustBe }: Question,
  value: string | undefined,
  soFar: SoFar,
): Failure | undefined {
  if (value === undefined) return failure("init.again-empty", { mustBe });
  if (!isRight(value)) return failure("init.again-strange", { value, mustBe });
  const other = twinOf(name, value, soFar);
  if (other === undefined) return undefined;
  const asked = questions.find((each) => each.name === other)?.asks ?? other;
  return failure("init.again-same", { value, other: asked });
}

/** There is nobody to ask. */
function standIn(question: Question, value: string | undefined, soFar: SoFar): string {
  if (value !== undefined) {
    refuse(question, value, soFar);
    return value;
  }
  if (question.name !== "coordinator")
    throw new FailureError(failure("init.answer-missing", { option: `--${question.name}` }));
  const far = [soFar.old ?? "", soFar.new ?? ""].find((each) => !isLoopback(withPort(each))) ?? "";
  throw new FailureError(failure("init.coordinator-missing", { far }));
}

/** The other server's answer, where the two may not be equal and are. */
function twinOf(name: AnswerName, value: string, answers: SoFar): AnswerName | undefined {
  const other = partnerOf[name];
  const theirs = other === undefined ? undefined : answers[other];
  if (theirs === undefined) return undefined;
  const isAddress = name === "old" || name === "new";
  const same = isAddress
    ? withPort(theirs).toLowerCase() === withPort(value).toLowerCase()
    : theirs === value;
  return same ? other : undefined;
}

/** False where nobody needs to trust anything. Throws FailureError: `init.insecure`. */
export async function isTrusted(terminal: Terminal, coordinator: string): Promise<boolean> {
  const far = coordinatorsIn(coordinator).find((each) => !isLoopback(each));
  if (far === undefined) return false;
  for (;;) {
    const said = await terminal.ask(
      `${far} is not on loopback: agents and coordinator speak in plain text. Do you trust that network? (yes/no) `,
    );
    const word = said?.trim().toLowerCase();
    if (word === "yes") return true;
    if (word === undefined || word === "no")
      throw new FailureError(failure("init.insecure", { coordinator: far }));
    terminal.note(`  ${render(failure("init.again-yes-or-no")).says}`);
  }
}
