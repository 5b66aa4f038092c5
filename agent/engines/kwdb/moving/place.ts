/** Where the files of a move lie. */
import type { Mode } from "#proto/engines/kwdb.ts";

export function externPath({ dataRoot }: Mode, folder: string): string {
  return `${dataRoot}/extern/${folder}`;
}
