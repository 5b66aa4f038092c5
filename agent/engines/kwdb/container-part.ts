/** A part of a container's making: words that say it, and what no word says. */
export interface Part {
  readonly words: readonly string[];
  /** `field=value`. */
  readonly refused: readonly string[];
}

export const nothingSaid: Part = { words: [], refused: [] };

export function carried(words: readonly string[]): Part {
  return { words, refused: [] };
}

export function refusedAs(field: string, value: unknown): Part {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return { words: [], refused: [`${field}=${text.slice(0, 120)}`] };
}

export function both(parts: readonly Part[]): Part {
  return { words: parts.flatMap(({ words }) => words), refused: parts.flatMap(({ refused }) => refused) };
}

/** The flag before each value. */
export function flags(flag: string, values: readonly string[]): readonly string[] {
  return values.flatMap((value) => [flag, value]);
}

/** What the engine writes where nothing was given; a key is something, whatever its value. */
export function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === "" || value === 0 || value === false) return true;
  return Array.isArray(value)
    ? value.every((each) => each === 0)
    : typeof value === "object" && Object.keys(value).length === 0;
}

/** Empty all the way down. */
export function isBlank(value: unknown): boolean {
  return (
    isEmpty(value) || (typeof value === "object" && value !== null && Object.values(value).every(isBlank))
  );
}

export function isSame(left: unknown, right: unknown): boolean {
  return (isEmpty(left) && isEmpty(right)) || JSON.stringify(left) === JSON.stringify(right);
}
