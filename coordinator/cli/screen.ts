/**
 * A log that scrolls and, below it, a few lines that are drawn anew in place. Where nothing may be redrawn
 * only the log is written, one line after the other.
 */
import { clip } from "./render/table.ts";

export interface ScreenParts {
  /** Text as it is, control sequences included. */
  write(text: string): void;
  readonly redraws: boolean;
  size(): { readonly columns: number; readonly rows: number };
}

const esc = String.fromCharCode(27);

export class Screen {
  readonly #parts: ScreenParts;
  #drawn: readonly string[] = [];

  constructor(parts: ScreenParts) {
    this.#parts = parts;
  }

  /** A line of the log: it stays. */
  log(text: string): void {
    this.#parts.write(`${this.#erased()}${text}\n${this.#block()}`);
  }

  /** Replaces what is drawn below the log; no lines take it away. */
  draw(lines: readonly string[]): void {
    if (!this.#parts.redraws) return;
    const erased = this.#erased();
    this.#drawn = this.#fitting(lines);
    const text = erased + this.#block();
    if (text !== "") this.#parts.write(text);
  }

  /** A line that wraps, or a block higher than the screen, could not be erased again. */
  #fitting(lines: readonly string[]): readonly string[] {
    const { columns, rows } = this.#parts.size();
    const most = Math.max(1, rows - 2);
    const shown = lines.length > most ? [...lines.slice(0, most - 1), "…"] : lines;
    return shown.map((line) => clip(line, Math.max(10, columns - 1)));
  }

  #erased(): string {
    return this.#drawn.length === 0 ? "" : `${esc}[${this.#drawn.length}A\r${esc}[J`;
  }

  #block(): string {
    return this.#drawn.map((line) => `${line}\n`).join("");
  }
}
