/** What is said after the files were written: where each belongs, what a server has to know, and what comes next. */
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
    ...next(written),
  ].join("\n");
}

function filesSaid({ folder, files }: Written): readonly string[] {
  const lines = files.map(({ path, mode, belongs }) => {
    const at = belongs === undefined ? "stays with the coordinator" : `${belongs.host}:${belongs.path}`;
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

function next({ folder, answers }: Written): readonly string[] {
  const { cluster, into, to } = answers;
  return [
    "",
    "Next, when both agents run:",
    `  lockkeeper cluster apply ${folder}/inventory.yaml`,
    `  lockkeeper check ${cluster} --to ${to} --into ${into}`,
  ];
}
