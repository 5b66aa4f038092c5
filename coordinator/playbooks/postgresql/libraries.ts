/** Libraries that a server loads at its start, and whether other programs have them. */

/** Of `shared_preload_libraries`; one that is named with its whole path is looked for by nobody. */
export function missingLibraries(
  settings: Readonly<Record<string, string>>,
  there: readonly string[],
): readonly string[] {
  return (settings["shared_preload_libraries"] ?? "")
    .split(",")
    .map((each) =>
      each
        .trim()
        .replace(/^"(.*)"$/, "$1")
        .replace(/^\$libdir\//, ""),
    )
    .filter((each) => each !== "" && !each.startsWith("/") && !there.includes(each));
}
