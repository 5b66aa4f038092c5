/** The documents as the tests read them: fences, commands with their exit codes, links, words in code. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../../../", import.meta.url);
export const repository = (path: string) => fileURLToPath(new URL(path, root));

export interface Fence {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  /** What follows the language: the scene in which its commands are run. */
  readonly scene: string;
  readonly text: string;
}

export interface TypedCommand {
  /** page:line, for the failure's message. */
  readonly place: string;
  readonly scene: string;
  readonly text: string;
  readonly exitCode: number;
}

export interface Page {
  readonly name: string;
  readonly text: string;
}

export const pages: readonly Page[] = [
  "README.md",
  "CHANGELOG.md",
  ...readdirSync(repository("docs")).map((name) => `docs/${name}`),
].map((name) => ({ name, text: readFileSync(repository(name), "utf8") }));

/** Fences may stand within a list: their indentation is not part of them. */
export function fencesOf({ name, text }: Page): readonly Fence[] {
  const found: Fence[] = [];
  for (const match of text.matchAll(/^([ ]*)```(\S*)(.*)\n([\s\S]*?)^[ ]*```$/gm)) {
    const [, indent = "", language = "", scene = "", body = ""] = match;
    found.push({
      page: name,
      line: text.slice(0, match.index).split("\n").length,
      language,
      scene: scene.trim(),
      text: body.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    });
  }
  return found;
}

/** `command   # exit code 5: why`; without a remark it must end with 0. */
function commandsOf(fence: Fence): readonly TypedCommand[] {
  return fence.text.split("\n").flatMap((line, index) => {
    const [text = "", remark = ""] = line.split(/\s+# /);
    if (text.trim() === "") return [];
    const told = /exit code (\d+)/.exec(remark);
    return [
      {
        place: `${fence.page}:${fence.line + 1 + index}`,
        scene: fence.scene,
        text: text.trim(),
        exitCode: told === null ? 0 : Number(told[1]),
      },
    ];
  });
}

export const typed: readonly TypedCommand[] = pages
  .flatMap(fencesOf)
  .filter(({ language }) => language === "sh")
  .flatMap(commandsOf);

/** Words in backticks outside of fences. */
export function codeOf({ name, text }: Page): readonly { readonly place: string; readonly code: string }[] {
  const prose = text.replaceAll(/^([ ]*)```[\s\S]*?^[ ]*```$/gm, (fence) => fence.replaceAll(/[^\n]/g, ""));
  return [...prose.matchAll(/`([^`\n]+)`/g)].map((match) => ({
    place: `${name}:${prose.slice(0, match.index).split("\n").length}`,
    code: match[1] ?? "",
  }));
}

/** As the web page's anchors are made from headings. */
export function anchorsOf({ text }: Page): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? "")
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, "")
      .trim()
      .replaceAll(/\s/g, "-"),
  );
}

/** A command line in words, quotes taken off. */
export function wordsOf(text: string): readonly string[] {
  return [...text.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
}
