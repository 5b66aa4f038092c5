/** An interval of KWDB as SQL shows it (`00:30:00`) or as a setting holds it (`30m0s`), in milliseconds. */
import { parseDuration } from "../common/duration.ts";

/** Undefined for anything else. */
export function intervalMs(text: string): number | undefined {
  const clock = /^(\d+):(\d\d):(\d\d)$/.exec(text);
  if (clock !== null) return ((Number(clock[1]) * 60 + Number(clock[2])) * 60 + Number(clock[3])) * 1_000;
  const spelt = parseDuration(text);
  return spelt.ok ? spelt.value : undefined;
}
