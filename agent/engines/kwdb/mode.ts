/** The installer's MODE file: positional lines, and the address on the last one. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Mode } from "#proto/engines/kwdb.ts";
import type { Host } from "../../verb.ts";
import { readText } from "./files.ts";
import { paths } from "./paths.ts";

const kinds = ["bare", "container"] as const;
const topologies = ["single", "single-replication", "multi-replication"] as const;
const securities = ["insecure", "tls", "tlcp"] as const;

export async function readMode(host: Host): Promise<Outcome<Mode>> {
  const text = await readText(host, paths.mode);
  return text.ok ? parseMode(text.value) : text;
}

export function parseMode(text: string): Outcome<Mode> {
  const lines = text.split("\n").map((line) => line.trim());
  while (lines.at(-1) === "") lines.pop();
  const [
    kind,
    topology,
    place = "",
    dataRoot = "",
    sqlPort = "",
    httpPort = "",
    user = "",
    security,
    encrypted,
  ] = lines;
  const address = lines.at(-1) ?? "";
  const knownKind = kinds.find((each) => each === kind);
  const knownTopology = topologies.find((each) => each === topology);
  const knownSecurity = securities.find((each) => each === security);
  if (
    lines.length < 10 ||
    knownKind === undefined ||
    knownTopology === undefined ||
    knownSecurity === undefined ||
    !isPort(sqlPort) ||
    !isPort(httpPort)
  ) {
    return fail("kwdb.mode-unreadable", { lines: lines.join(" | ") });
  }
  return succeed({
    kind: knownKind,
    topology: knownTopology,
    place,
    dataRoot,
    sqlPort: Number(sqlPort),
    httpPort: Number(httpPort),
    user,
    security: knownSecurity,
    encrypted: encrypted === "true",
    address,
  });
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536;
}
