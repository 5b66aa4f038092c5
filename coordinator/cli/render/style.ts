/** Colour, and only where the terminal shows it. Meaning never hangs on colour alone. */
import { styleText } from "node:util";
import type { CheckStatus } from "../../domain/check.ts";

type Tone = "good" | "warn" | "bad" | "dim" | "strong";

const formats = { good: "green", warn: "yellow", bad: "red", dim: "dim", strong: "bold" } as const;

export type Paint = (tone: Tone, text: string) => string;

export const plain: Paint = (_tone, text) => text;

export const coloured: Paint = (tone, text) => styleText(formats[tone], text, { validateStream: false });

export const toneOfCheck: Readonly<Record<CheckStatus, Tone>> = {
  ok: "good",
  warn: "warn",
  ko: "bad",
  unknown: "bad",
  "not-applicable": "dim",
};

export const wordOfCheck: Readonly<Record<CheckStatus, string>> = {
  ok: "OK",
  warn: "WARN",
  ko: "KO",
  unknown: "UNKNOWN",
  "not-applicable": "n/a",
};
