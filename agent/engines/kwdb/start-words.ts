/** What the words of a start say of the node: topology, store, ports, security. */
import { resolve } from "node:path";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Mode } from "#proto/engines/kwdb.ts";
import type { Start } from "./start.ts";
import { pathIn } from "./store-words.ts";

const topologies: Readonly<Record<string, Mode["topology"]>> = {
  start: "multi-replication",
  "start-single-replica": "single-replication",
  "start-single-node": "single",
};

export interface StartedWith extends Omit<Mode, "user"> {
  /** A folder of this machine; absent where it is insecure. */
  readonly certs?: string;
}

/** The defaults are the vendor's. Refused: `kwdb.start-strange`. */
export function readWords({ argv, cwd }: Pick<Start, "argv" | "cwd">, place: string): Outcome<StartedWith> {
  const [, command = "", ...words] = argv;
  const topology = topologies[command];
  if (topology === undefined) return fail("kwdb.start-strange", { command });
  const flag = flagsOf(words);
  const listen = addressOf(flag("listen-addr", "a"), 26257);
  const sql = addressOf(flag("sql-addr"), listen.port, listen.host);
  const advertised = addressOf(flag("advertise-addr"), listen.port, listen.host);
  const http = addressOf(flag("http-addr"), 8080);
  const certs = flag("certs-dir");
  const isInsecure = (flag("insecure") ?? "false") !== "false";
  return succeed({
    kind: "bare",
    topology,
    place,
    dataRoot: resolve(cwd, pathIn(flag("store", "s") ?? "kwbase-data")),
    sqlPort: sql.port,
    httpPort: http.port,
    ...reach("sqlHost", sql.host),
    ...reach("httpHost", http.host),
    security: isInsecure ? "insecure" : (flag("tlcp") ?? "false") === "false" ? "tls" : "tlcp",
    encrypted: flag("store-encryption") !== undefined,
    address: advertised.host,
    ...(isInsecure || certs === undefined ? {} : { certs: resolve(cwd, certs) }),
  });
}

type Flag = (name: string, short?: string) => string | undefined;

/** The last of several counts; a switch is `true`. */
function flagsOf(words: readonly string[]): Flag {
  return (name, short) => {
    const found = words.flatMap((word, at) => {
      const [given = "", ...rest] = word.split("=");
      if (given !== `--${name}` && given !== `-${short ?? name}`) return [];
      if (rest.length > 0) return [rest.join("=")];
      const next = words[at + 1];
      return [next === undefined || next.startsWith("-") ? "true" : next];
    });
    return found.at(-1);
  };
}

/** `:26257`, `10.0.0.1`, `[::1]:26257`; no host is every address. */
function addressOf(
  text: string | undefined,
  defaultPort: number,
  defaultHost = "",
): { readonly host: string; readonly port: number } {
  const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(text ?? "") ?? [];
  return { host: host === "" ? defaultHost : host, port: port === undefined ? defaultPort : Number(port) };
}

/** One that listens at a single address does not answer at the loopback. */
function reach<Name extends "sqlHost" | "httpHost">(name: Name, host: string): Partial<Record<Name, string>> {
  if (host === "" || host === "0.0.0.0" || host === "[::]") return {};
  return { [name]: host.replace(/^\[|\]$/g, "") } as Partial<Record<Name, string>>;
}
