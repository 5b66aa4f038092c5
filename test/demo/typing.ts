/** What every demo says and types. */
import type { DemoProcesses } from "./processes.ts";

const bold = (text: string) => (process.stdout.isTTY ? `\u001b[1m${text}\u001b[0m` : text);

export function tell(text: string): void {
  console.log(`\n${bold(text)}`);
}

/** Types a command for the audience; resolves with its exit code. */
export async function type(fleet: DemoProcesses, ...args: readonly string[]): Promise<number> {
  console.log(
    `\n${bold(`$ lockkeeper ${args.map((arg) => (/[\s"]/.test(arg) ? `"${arg}"` : arg)).join(" ")}`)}`,
  );
  return fleet.show(...args);
}

export async function newestSnapshot(fleet: DemoProcesses): Promise<string> {
  const { stdout } = await fleet.cli("snapshot", "list", "--limit", "1", "-o", "json");
  return (JSON.parse(stdout) as readonly { readonly id: string }[])[0]?.id ?? "";
}
