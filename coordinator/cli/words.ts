/** `--ack CHECK --reason TEXT` and `--override CHECK --reason TEXT --until TIME`, repeated, read in order. */

import { en } from "#proto/catalogue/en/index.ts";
import { parseDuration } from "#proto/common/duration.ts";
import { FailureError, failure } from "#proto/common/failure.ts";
import { nearest } from "#proto/common/nearest.ts";
import type { Word } from "#proto/gen/lockkeeper/v1/control_pb.ts";

export interface WordOptions {
  readonly ack: readonly string[];
  readonly override: readonly string[];
  readonly reason: readonly string[];
  readonly until?: string | undefined;
}

export function collect(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

/**
 * One reason may stand for all; otherwise there is one for each word, acknowledgements first.
 * `until` is an instant (RFC 3339) or a duration from now; an override must have one.
 */
export function toWords(
  options: WordOptions,
  nowMs: number,
): { readonly acknowledgements: Word[]; readonly overrides: Word[] } {
  const { ack, override, reason } = options;
  for (const check of [...ack, ...override]) mustBeKnown(check);
  const wanted = ack.length + override.length;
  if (wanted > 0 && (reason.length === 0 || reason.some(isBlank)))
    throw usage("cli.word-without-reason", { check: [...ack, ...override].join(", ") });
  if (reason.length > 1 && reason.length !== wanted)
    throw usage("cli.reasons-do-not-match", { words: String(wanted), reasons: String(reason.length) });
  const reasonOf = (index: number) => reason[reason.length === 1 ? 0 : index] ?? "";
  const until = instant(options.until, nowMs);
  if (override.length > 0 && until === "")
    throw usage("cli.override-without-end", { check: override.join(", ") });
  return {
    acknowledgements: ack.map((check, index) => ({ check, reason: reasonOf(index), until })),
    overrides: override.map((check, index) => ({ check, reason: reasonOf(ack.length + index), until })),
  };
}

/** A word that is spelt wrong would answer for nothing, and nobody would be told. */
function mustBeKnown(check: string): void {
  const isKnown = en[`check.${check}`] !== undefined || en[check] !== undefined;
  if (isKnown) return;
  const checks = Object.keys(en).flatMap((code) => /^check\.([^.]+\.[^.]+)$/.exec(code)?.[1] ?? []);
  const near = nearest(check, [...checks, ...others]);
  throw usage("cli.word-unknown", { check, ...(near === undefined ? {} : { near }) });
}

/** What no check finds, and yet is answered for. */
const others = ["node.unproven", "node.unfinished", "lock.broken"];

/** Nothing, or the place for a reason in a command that was printed: no reason to be recorded. */
function isBlank(reason: string): boolean {
  return /^[\s.…]*$/.test(reason);
}

function instant(text: string | undefined, nowMs: number): string {
  if (text === undefined) return "";
  const duration = parseDuration(text);
  const ms = duration.ok ? nowMs + duration.value : Date.parse(text);
  if (Number.isNaN(ms)) throw usage("cli.until-unreadable", { text });
  if (ms <= nowMs) throw usage("cli.until-past", { text });
  return new Date(ms).toISOString();
}

function usage(code: `cli.${string}`, facts: Readonly<Record<string, string>>): FailureError {
  return new FailureError(failure(code, facts));
}
