/**
 * One structured line per event on stderr. Under journald each line carries its priority, so that `journalctl -p`
 * works; the destination is synchronous, so that the last line before a crash exists.
 */
import { type DestinationStream, type Logger, pino } from "pino";

export type Log = Pick<Logger, "debug" | "info" | "warn" | "error" | "fatal">;

/** syslog priorities of pino's levels. */
const priorities: Readonly<Record<number, number>> = { 10: 7, 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };

export interface LogOptions {
  readonly level: string;
  /** journald understands `<N>` at the head of a line (sd-daemon(3)). */
  readonly journald: boolean;
  readonly write: (line: string) => void;
}

export function makeLog(name: string, { level, journald, write }: LogOptions): Log {
  const destination: DestinationStream & { lastLevel: number } = {
    lastLevel: 30,
    write(line: string) {
      write(journald ? `<${priorities[this.lastLevel] ?? 6}>${line}` : line);
    },
  };
  // pino tells the destination each line's level when it carries this mark.
  Object.assign(destination, { [Symbol.for("pino.metadata")]: true });
  return pino(
    { name, level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: ["*.password", "dsn"] },
    destination,
  );
}
