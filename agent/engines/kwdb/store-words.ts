/** Which stores the words of a start name. */

/** Every store that a start's words name, as they name it; the vendor's default where they name none. */
export function storesIn(words: readonly string[]): readonly string[] {
  const stores = words.flatMap((word, at) => {
    const named = /^(?:--store|-s)(?:=(.*))?$/s.exec(word);
    return named === null ? [] : (named[1] ?? words[at + 1] ?? []);
  });
  return (stores.length === 0 ? ["kwbase-data"] : stores).map(pathIn);
}

/** `path=/x,attrs=…` is another way of writing it. */
export function pathIn(store: string): string {
  const parts = store.split(",");
  return parts.find((part) => part.startsWith("path="))?.slice(5) ?? parts[0] ?? "";
}
