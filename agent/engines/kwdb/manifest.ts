/** What an unpacked package and a saved configuration consist of: kept beside them, compared before they are used. */
import { unknownFormat } from "#proto/common/format.ts";

export const manifestFormat = 1;

/** sha256 by relative path. */
export type Manifest = Readonly<Record<string, string>>;

export function manifestText(files: Manifest): string {
  return JSON.stringify({ format: manifestFormat, files });
}

/** Undefined where it is not there, spoilt, or newer: the thing then counts as changed, and is made anew. */
export function readManifest(text: string): Manifest | undefined {
  let kept: unknown;
  try {
    kept = JSON.parse(text);
  } catch {
    return undefined;
  }
  return unknownFormat(kept, manifestFormat) === undefined ? (kept as { files?: Manifest }).files : undefined;
}
