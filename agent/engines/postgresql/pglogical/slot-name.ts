/**
 * How pglogical names its slots: `pgl_<database>_<provider's node>_<subscription>`, each part cut to 16 bytes where it is longer, to
 * its first eight and the server's own hash of the whole in hexadecimal. Its 2.4 loses the last digit of that on the way.
 */
import { ownStub } from "#proto/engines/postgresql-names.ts";
import { serverHash } from "./server-hash.ts";

const partBytes = 16;
const keptBytes = 8;

/** As it stands in a slot's name, without the digit that may be missing. */
function shortened(name: string): string {
  const bytes = Buffer.from(name);
  if (bytes.length <= partBytes) return plain(name);
  const hex = serverHash(bytes).toString(16).padStart(8, "0");
  return plain(`${bytes.subarray(0, keptBytes).toString("latin1")}${hex.slice(0, 7)}`);
}

/** What a slot's name may not hold stands there as `_`. */
function plain(text: string): string {
  return text.replace(/[^a-z0-9_]/g, "_");
}

/** Of whatever database; without `subscription` of whatever subscription of ours. */
export function isShortenedTo(
  slot: string,
  { node, subscription }: { readonly node: string; readonly subscription?: string },
): boolean {
  const last = subscription === undefined ? `${ownStub}[0-9a-f]{7}` : shortened(subscription);
  return new RegExp(`^pgl_.*_${shortened(node)}[0-9a-f]?_${last}[0-9a-f]?$`).test(slot);
}
