/** What the demo types, and what it says in between. */
import { type DemoFleet, toVersion } from "./fleet.ts";
import { newestSnapshot, tell, type } from "./typing.ts";

/** The command that `why` tells to type, without the program's name. */
async function commandOf(fleet: DemoFleet, subject: string): Promise<readonly string[]> {
  const { stdout } = await fleet.cli("why", subject, "-o", "json");
  const { answers } = JSON.parse(stdout) as { readonly answers: readonly { readonly command?: string }[] };
  const [program, ...words] = answers.flatMap(({ command }) => command ?? [])[0]?.split(" ") ?? [];
  if (program !== "lockkeeper") throw new Error(`why ${subject} tells no command`);
  return words;
}

/** The words that only a person can give: what the demo's data is worth is known here. */
export const demoWords = ["kwdb.backup", "kwdb.old-package", "kwdb.rolling-from-3-0"].flatMap((check) => [
  "--ack",
  check,
]);
const reason = ["--reason", "demo data: worth nothing"];

async function begin(fleet: DemoFleet): Promise<string> {
  console.log(
    "Three KWDB stand-ins run on this machine, each with an agent of its own; one coordinator, one NATS.",
  );
  console.log("Dwell and sampling are shortened to 1 s and 250 ms; in production they are 30 s and 10 s.");
  await type(fleet, "node", "list");
  await type(fleet, "snapshot", "take", "--reason", "before the demo");
  const before = await newestSnapshot(fleet);
  await type(fleet, "artefact", "push", fleet.newPackage?.tarball ?? "");
  return before;
}

const target = (fleet: DemoFleet) => [
  "billing",
  "--to",
  toVersion,
  "--sha256",
  fleet.newPackage?.sha256 ?? "",
];

export async function playUpgrade(fleet: DemoFleet): Promise<number> {
  const before = await begin(fleet);
  await type(fleet, "check", ...target(fleet));
  const plan = `${fleet.options.folder}/plan.json`;
  if ((await type(fleet, "plan", ...target(fleet), "-o", plan)) !== 0) return 1;
  const applied = await type(fleet, "apply", plan, "-y", ...demoWords, ...reason);
  if (applied !== 0) return applied;
  tell("Before and after, side by side:");
  await type(fleet, "snapshot", "take", "--reason", "after the demo");
  await type(fleet, "snapshot", "diff", before, await newestSnapshot(fleet));
  await type(fleet, "node", "list");
  return 0;
}

export async function playFailure(fleet: DemoFleet, node: string): Promise<number> {
  await begin(fleet);
  const plan = `${fleet.options.folder}/plan.json`;
  if ((await type(fleet, "plan", ...target(fleet), "-o", plan)) !== 0) return 1;
  const host = fleet.hosts.find(({ options }) => options.name === node);
  await host?.faults({ die_after_ms: "300" });
  tell(`From now on ${node} dies soon after each start.`);
  const applied = await type(fleet, "apply", plan, "-y", ...demoWords, ...reason);
  const printed = await commandOf(fleet, "billing");
  await type(fleet, "why", "billing");
  await type(fleet, "node", "list");
  tell(`Somebody mends ${node}; then the command that was printed:`);
  await host?.faults({});
  const mended = await type(fleet, ...printed);
  await type(fleet, "node", "list");
  return mended === 0 ? applied : 1;
}
