/** What a tool said last. Of docker the engine's own word where there is one: its client adds that it has failed, and advice. */
export function lastLine(tail: string): string {
  const lines = tail.trim().split("\n");
  return lines.findLast((line) => line.startsWith("Error response from daemon:")) ?? lines.at(-1) ?? "";
}
