/** The verbs of this agent by name, and calls of them read into arguments. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { type Call, StepClass } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import type { Verb } from "../verb.ts";

export type Vocabulary = ReadonlyMap<string, Verb>;

export interface ReadCall {
  readonly verb: Verb;
  readonly args: unknown;
}

const rank = {
  observe: StepClass.OBSERVE,
  reversible: StepClass.REVERSIBLE,
  irreversible: StepClass.IRREVERSIBLE,
} as const;

export function vocabularyOf(verbs: readonly Verb[]): Vocabulary {
  return new Map(verbs.map((verb) => [verb.name, verb]));
}

/** The class that a step of this verb must carry at least. */
export function leastClass(verb: Verb): StepClass {
  return rank[verb.class];
}

/** Refused: `verb.unknown`, `verb.arguments`. */
export function readCall(vocabulary: Vocabulary, call: Call | undefined): Outcome<ReadCall> {
  const verb = vocabulary.get(call?.verb ?? "");
  if (call === undefined || verb === undefined) return fail("verb.unknown", { verb: call?.verb ?? "" });
  const args = verb.args.safeParse(call.args);
  if (args.success) return succeed({ verb, args: args.data });
  const issue = args.error.issues[0];
  return fail("verb.arguments", {
    verb: verb.name,
    argument: issue?.path.join(".") ?? "",
    cause: issue?.message ?? "",
  });
}
