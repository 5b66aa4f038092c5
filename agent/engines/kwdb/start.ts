/**
 * How a program was started, as its process tells it: what is needed to start it once more in the same way. The
 * environment may hold secrets: it is kept in the agent's own folder, and never leaves the host.
 */
import { readFile, readlink, stat } from "node:fs/promises";
import { z } from "zod";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { causeOf } from "./files.ts";
import { limitNames, readLimits } from "./limits.ts";

export const startSchema = z.strictObject({
  /** The first word as it was given; what is started is the binary. */
  argv: z.array(z.string()).min(1),
  cwd: z.string(),
  uid: z.number(),
  gid: z.number(),
  /** Octal digits. */
  umask: z.string(),
  /** NAME=VALUE each. */
  environment: z.array(z.string()),
  /** Soft and hard, in the kernel's own units or `unlimited`. */
  limits: z.partialRecord(z.enum(limitNames), z.tuple([z.string(), z.string()])),
  /** Where it writes to, where that is a file. */
  output: z.string().optional(),
  errors: z.string().optional(),
});
export type Start = z.infer<typeof startSchema>;

/** What systemd gives each service anew: of no use to the next process, and wrong for it. */
const ofOneRun =
  /^(INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_EXEC_PID|NOTIFY_SOCKET|MAINPID|MANAGERPID|(LISTEN|WATCHDOG|MEMORY_PRESSURE)_[A-Z]+)=/;

/** Refused: `kwdb.start-unreadable`. */
export async function readStart(pid: number): Promise<Outcome<Start>> {
  const at = `/proc/${pid}`;
  try {
    const [cmdline, environ, status, limits, cwd, output, errors] = await Promise.all([
      readFile(`${at}/cmdline`, "utf8"),
      readFile(`${at}/environ`, "utf8"),
      readFile(`${at}/status`, "utf8"),
      readFile(`${at}/limits`, "utf8"),
      readlink(`${at}/cwd`),
      fileBehind(`${at}/fd/1`),
      fileBehind(`${at}/fd/2`),
    ]);
    const argv = cmdline.replace(/\0$/, "").split("\0");
    return succeed({
      argv,
      cwd,
      uid: numberIn(status, "Uid"),
      gid: numberIn(status, "Gid"),
      umask: /^Umask:\s+([0-7]+)$/m.exec(status)?.[1] ?? "0022",
      environment: environ.split("\0").filter((each) => each.includes("=") && !ofOneRun.test(each)),
      limits: readLimits(limits),
      ...(output === undefined ? {} : { output }),
      ...(errors === undefined ? {} : { errors }),
    });
  } catch (error) {
    return fail("kwdb.start-unreadable", { pid: String(pid), cause: causeOf(error) });
  }
}

function numberIn(status: string, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1];
  if (found === undefined) throw new Error(`/proc tells no ${name}`);
  return Number(found);
}

async function fileBehind(descriptor: string): Promise<string | undefined> {
  const target = await readlink(descriptor).catch(() => "");
  const found = target.startsWith("/") ? await stat(target).catch(() => undefined) : undefined;
  return found?.isFile() === true ? target : undefined;
}

export function variable({ environment }: Pick<Start, "environment">, name: string): string | undefined {
  return environment.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
}

export function namesOf({ environment }: Pick<Start, "environment">): readonly string[] {
  return environment.map((each) => each.slice(0, each.indexOf("="))).sort();
}
