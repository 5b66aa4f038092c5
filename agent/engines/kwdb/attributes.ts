/** Extended attributes of a whole folder, by getfattr(1): Node has no call for them, and not every host has the tool. */
import { readFile, rm } from "node:fs/promises";
import type { Host } from "../../verb.ts";

/** By path from the folder, `.` for itself; a file without any is not in it. */
export type Attributes = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** What the kernel or its security modules write by themselves. */
const ofTheSystem = /^(security\.(selinux|ima|evm)|system\.(?!posix_acl_))/;
const lookMs = 10 * 60_000;
const script = 'cd -- "$1" && umask 077 && exec getfattr -R -P -h -d -m - -e hex -- . >"$2"';

export async function hasGetfattr(host: Host): Promise<boolean> {
  return (await host.look(["getfattr", "--version"], { deadlineMs: 10_000 })).exitCode === 0;
}

/** Throws where they cannot be read. `beside` is a path for what the tool prints; it is removed again. */
export async function attributesOf(host: Host, folder: string, beside: string): Promise<Attributes> {
  try {
    const look = await host.look(["sh", "-c", script, "sh", folder, beside], { deadlineMs: lookMs });
    if (look.exitCode !== 0)
      throw new Error(
        `getfattr: ${look.spawnError ?? (look.timedOut ? "it did not end" : look.stderr.trim())}`,
      );
    return parseAttributes(await readFile(beside, "utf8"));
  } finally {
    await rm(beside, { force: true });
  }
}

export function parseAttributes(text: string): Attributes {
  const found = new Map<string, Record<string, string>>();
  let own: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const file = /^# file: (.*)$/.exec(line)?.[1];
    if (file !== undefined) {
      own = {};
      found.set(unescaped(file).replace(/^\.\//, ""), own);
      continue;
    }
    const [, name, value = ""] = /^([^=]+?)(?:=(.*))?$/.exec(line) ?? [];
    if (name !== undefined && !ofTheSystem.test(name)) own[unescaped(name)] = value;
  }
  const some = [...found].filter(([, attributes]) => Object.keys(attributes).length > 0);
  return new Map(some.map(([path, attributes]) => [path, inOrder(attributes)]));
}

/** The same attributes are the same text. */
function inOrder(attributes: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(attributes).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** The tool writes the few characters that it minds as three octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
