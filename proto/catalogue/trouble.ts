/** What the system says of a file or an address, in the catalogue's words: its own are for programmers. */
import { en } from "./en/index.ts";

/** An error without a code that is known here is told as it is. */
export function troubleOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const found = en[`errno.${(error as NodeJS.ErrnoException).code ?? codeIn(error.message)}`];
  return found?.says ?? error.message;
}

/** The same with the place, where the system names one. */
export function troubleAt(error: unknown): string {
  const { path } = error as Partial<NodeJS.ErrnoException>;
  return path === undefined ? troubleOf(error) : `${path}: ${troubleOf(error)}`;
}

/** gRPC passes on the text alone. */
function codeIn(message: string): string {
  return /\b(E[A-Z]{4,})\b/.exec(message)?.[1] ?? "";
}
