/** A script of a client program, cut into its statements. Pure. */

/**
 * Without the semicolon, without what stands between them: comments, psql's own words. What is quoted stays as it is, whatever it looks
 * like: literals (also `E'…'`) and names, over as many lines as they have. Dollar quotes are not known.
 */
export function statementsOf(script: string): readonly string[] {
  const found: string[] = [];
  let own = "";
  for (const [piece] of script.matchAll(pieces)) {
    if (piece.startsWith("--")) continue;
    if (piece.startsWith("\\") && own.trim() === "") continue;
    if (piece !== ";") own += piece;
    else {
      found.push(own.trim());
      own = "";
    }
  }
  return [...found, own.trim()].filter((each) => each !== "");
}

/** An open quote goes to the end: it is the server's to refuse. */
const pieces = new RegExp(
  [
    String.raw`[eE]'[^'\\]*(?:(?:''|\\[^])[^'\\]*)*(?:'|$)`,
    `'[^']*(?:''[^']*)*(?:'|$)`,
    `"[^"]*(?:""[^"]*)*(?:"|$)`,
    String.raw`--[^\n]*`,
    String.raw`\\[^\n]*`,
    String.raw`[\p{L}\p{N}_$]+`,
    `[^]`,
  ].join("|"),
  "gu",
);
