/** The bench's lines: a figure, its budget beside it, never a verdict: the machine is whoever's it is. */
import { padTo } from "#coordinator/cli/render/table.ts";

export function heading(text: string): void {
  console.log(`\n${text}`);
}

export function figure(what: string, value: string, budget = ""): void {
  console.log(
    `  ${padTo(what, 58)} ${padTo(value, 16)} ${budget === "" ? "" : `budget ${budget}`}`.trimEnd(),
  );
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export const ms = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
export const kb = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;
export const mb = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(0)} MB`;
