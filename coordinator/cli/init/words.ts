/** What is said after the files were written: where each belongs, what a server has to know, and what comes next. */
import { render } from "#proto/catalogue/render.ts";
import { failure } from "#proto/common/failure.ts";
import { isLoopback, splitAddress } from "#proto/common/loopback.ts";
import { defaultCoordinator } from "../command.ts";
import { type Answers, hostOf, isOneHost } from "./answers.ts";
import type { InitFile } from "./files.ts";
import type { PgrepupFile } from "./pgrepup-file.ts";

export interface Written {
  readonly folder: string;
  readonly answers: Answers;
  readonly files: readonly InitFile[];
  /** Where the answers came from one. */
  readonly pgrepup?: PgrepupFile | undefined;
}

export function renderWritten(written: Written): string {
  return [
    ...filesSaid(written),
    ...socketSaid(written.answers),
    ...(isOneHost(written.answers) ? twoAgents : []),
    ...(written.pgrepup === undefined ? [] : leftOut(written.pgrepup)),
    ...coordinatorSaid(written.answers),
    ...next(written),
  ].join("\n");
}

function filesSaid({ folder, files }: Written): readonly string[] {
  const lines = files.map(({ path, mode, belongs }) => {
    const at =
      belongs === undefined ? "stays here; cluster apply sends it" : `${belongs.host}:${belongs.path}`;
    return `  ${folder}/${path}  (0${mode.toString(8)})  →  ${at}`;
  });
  return [
    "Written, and where each belongs:",
    ...lines,
    "What belongs to a host is root's there, mode 0600. Delete it here when it is there.",
  ];
}

/** The agent runs as root, and peer authentication lets root in as nobody else without a map. */
function socketSaid({ old, young }: Answers): readonly string[] {
  return [old, young]
    .filter(({ password }) => password === "")
    .flatMap((server) => [
      "",
      `${server.node} has no password: its agent comes through the server's socket, as root. On ${hostOf(server)}, then reload:`,
      `  pg_hba.conf, before all others:  local all ${server.user} peer map=lockkeeper`,
      `  pg_ident.conf:                   lockkeeper root ${server.user}`,
    ]);
}

const twoAgents = [
  "",
  "Both servers are on one host: two agents, each with a unit of its own that runs its own file:",
  "  lockkeeper-agent run --config FILE",
];

function leftOut({ appOwner, tmpFolder, source, destination }: PgrepupFile): readonly string[] {
  const template = [source, destination].some(({ connectDatabase }) => connectDatabase === "template1");
  const said = [
    ...(template
      ? ["connect_database: postgres instead of template1, which nobody may be in when a database is made"]
      : []),
    ...(tmpFolder === undefined
      ? []
      : ["tmp_folder: not needed, what travels lies in the agents' own folders"]),
    ...(appOwner === undefined ? [] : ["app_owner: not needed, everything keeps its owner"]),
  ];
  return said.length === 0
    ? []
    : ["", "Of pgrepup's file, not taken as it is:", ...said.map((line) => `  ${line}`)];
}

/** Without these lines in the coordinator's own file no agent on another host gets in. */
function coordinatorSaid({ coordinators, insecure, old, young }: Answers): readonly string[] {
  const far = coordinators.filter((each) => !isLoopback(each));
  if (insecure && far.length > 0) return far.flatMap(plainText);
  const agentsAreNear = [old, young].every(({ address }) => isLoopback(address));
  const [coordinator = ""] = coordinators;
  return far.length > 0 || agentsAreNear
    ? []
    : ["", render(failure("init.coordinator-loopback", { coordinator })).says];
}

function plainText(coordinator: string): readonly string[] {
  return [
    "",
    render(failure("init.coordinator-insecure", { coordinator })).says,
    `  listen: 0.0.0.0:${splitAddress(coordinator)?.port ?? ""}`,
    `  advertise: ${coordinator}`,
    "  insecure: true",
  ];
}

function next({ folder, answers }: Written): readonly string[] {
  const { cluster, into, to, coordinators } = answers;
  const coordinator = coordinators.join(",");
  const at = coordinator === defaultCoordinator ? "" : ` --coordinator ${coordinator}`;
  const inventory = `${folder}/inventory.yaml`;
  return [
    "",
    render(failure("init.next", { inventory, coordinator })).says,
    `  lockkeeper cluster apply ${inventory}${at}`,
    `  lockkeeper check ${cluster} --to ${to} --into ${into}${at}`,
  ];
}
