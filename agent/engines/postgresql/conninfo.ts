/** What a server connects with, as libpq reads it. */
export function conninfoOf(words: Readonly<Record<string, string>>): string {
  return Object.entries(words)
    .map(([key, value]) => `${key}='${value.replaceAll(/(['\\])/g, "\\$1")}'`)
    .join(" ");
}

/** `[::1]:5432` and `10.0.0.1:5432` as libpq's two words. */
export function addressOf(at: string): Readonly<Record<"host" | "port", string>> {
  const colon = at.lastIndexOf(":");
  return { host: at.slice(0, colon).replace(/^\[|\]$/g, ""), port: at.slice(colon + 1) };
}
