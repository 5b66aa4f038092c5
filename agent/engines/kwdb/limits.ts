/** Resource limits of a process: as /proc prints them, as systemd and as prlimit(1) are given them. */

/** Words of /proc/PID/limits by systemd's names; prlimit's are the same in small letters. Units are the kernel's. */
const wordsOf = {
  CPU: "cpu time",
  FSIZE: "file size",
  DATA: "data size",
  STACK: "stack size",
  CORE: "core file size",
  RSS: "resident set",
  NPROC: "processes",
  NOFILE: "open files",
  MEMLOCK: "locked memory",
  AS: "address space",
  LOCKS: "file locks",
  SIGPENDING: "pending signals",
  MSGQUEUE: "msgqueue size",
  NICE: "nice priority",
  RTPRIO: "realtime priority",
  RTTIME: "realtime timeout",
} as const;

type LimitName = keyof typeof wordsOf;

export const limitNames = Object.keys(wordsOf) as [LimitName, ...LimitName[]];

export type Limits = Readonly<Partial<Record<LimitName, [soft: string, hard: string]>>>;

export function readLimits(text: string): Partial<Record<LimitName, [string, string]>> {
  return Object.fromEntries(
    limitNames.flatMap((name) => {
      const [, soft, hard] = new RegExp(`^Max ${wordsOf[name]}\\s+(\\S+)\\s+(\\S+)`, "m").exec(text) ?? [];
      return soft === undefined || hard === undefined ? [] : [[name, [soft, hard]]];
    }),
  );
}

export function asProperties(limits: Limits): readonly string[] {
  const word = (value: string) => (value === "unlimited" ? "infinity" : value);
  return entriesOf(limits).map(
    ([name, [soft, hard]]) => `--property=Limit${name}=${word(soft)}:${word(hard)}`,
  );
}

export function asPrlimit(limits: Limits): readonly string[] {
  return entriesOf(limits).map(([name, [soft, hard]]) => `--${name.toLowerCase()}=${soft}:${hard}`);
}

function entriesOf(limits: Limits): readonly (readonly [LimitName, [string, string]])[] {
  return limitNames.flatMap((name) => {
    const found = limits[name];
    return found === undefined ? [] : [[name, found] as const];
  });
}
