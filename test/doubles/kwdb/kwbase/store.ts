/** The store folder: who the node is, its start mode, its peers and last records, address files, logs. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { CliError } from "./cli-error.ts";
import type { Kept } from "./records.ts";

const stateFile = (folder: string) => path.join(folder, "STAND-IN.json");
const modeFile = (folder: string) => path.join(folder, "kwbase.start_mode");

/** Makes the folder, or refuses one that was started in another mode. */
export function openStore(folder: string, startMode: string): Kept {
  mkdirSync(path.join(folder, "logs"), { recursive: true });
  mkdirSync(path.join(folder, "extern"), { recursive: true });
  if (existsSync(modeFile(folder))) {
    const found = readFileSync(modeFile(folder), "utf8").trim();
    if (found !== startMode)
      throw new CliError(`check start mode failed! Node start mode is ${startMode}, should be ${found}`);
  }
  writeFileSync(modeFile(folder), startMode);
  if (!existsSync(stateFile(folder))) return { peers: [], records: [], settings: [] };
  return JSON.parse(readFileSync(stateFile(folder), "utf8")) as Kept;
}

export function keep(folder: string, kept: Kept): void {
  writeFileSync(stateFile(folder), JSON.stringify(kept));
}

export function writeAddressFiles(folder: string, addresses: Readonly<Record<string, string>>): void {
  for (const [name, address] of Object.entries(addresses))
    writeFileSync(path.join(folder, `kwbase.${name}`), address);
}

/** One line to standard output (the journal) and, with kwbase's prefix, to the log file. */
export function report(folder: string, message: string, severity = "I"): void {
  const at = new Date().toISOString();
  const prefix = `${severity}${at.slice(2, 10).replaceAll("-", "")} ${at.slice(11, 23)}000 1 cli/start.go:1  `;
  process.stdout.write(`${message}\n`);
  appendFileSync(path.join(folder, "logs", "kwbase.log"), message.replaceAll(/^/gm, prefix).concat("\n"));
}
