/** Durations as people write them: "90s", "1m30s", "2h", "250ms". One spelling for files, flags and texts. */
import { fail, type Outcome, succeed } from "./failure.ts";

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds; refused: an empty text, a number without unit, units out of order, more than 365 days. */
export function parseDuration(text: string): Outcome<number> {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== text) {
    return fail("duration.unreadable", { text });
  }
  let totalMs = 0;
  let smallest = Number.POSITIVE_INFINITY;
  for (const [, amount, unit] of parts) {
    const scale = unitMs[unit as string] as number;
    if (scale >= smallest) return fail("duration.unreadable", { text });
    smallest = scale;
    totalMs += Number(amount) * scale;
  }
  if (totalMs > 365 * 86_400_000) return fail("duration.too-long", { text });
  return succeed(Math.round(totalMs));
}

/** The two largest units that say it, for example "1h05m", "12s", "1.4s" below ten seconds, "250ms". */
export function renderDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${pad(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h${pad(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d${pad(hours % 24)}h`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
