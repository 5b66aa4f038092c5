/** Answers to files: an inventory, and for each host its agent's file and, where there is one, its password alone. */
import { type Answers, hostOf, isOneHost, type ServerAnswers } from "./answers.ts";

export interface InitFile {
  /** Below the folder that was asked for. */
  readonly path: string;
  readonly mode: number;
  readonly text: string;
  /** Where it has to stand to be of use; undefined: it is used where it is. */
  readonly belongs?: { readonly host: string; readonly path: string };
}

const ownerOnly = 0o600;

export function filesOf(answers: Answers): readonly InitFile[] {
  return [
    { path: "inventory.yaml", mode: 0o644, text: inventoryText(answers) },
    ...[answers.old, answers.young].flatMap((server) => hostFiles(answers, server)),
  ];
}

function hostFiles(answers: Answers, server: ServerAnswers): readonly InitFile[] {
  const { agent, password } = placesOf(answers, server);
  const host = hostOf(server);
  const file = {
    path: `${server.node}/agent.yaml`,
    mode: ownerOnly,
    text: agentText(answers, server),
    belongs: { host, path: agent },
  };
  if (server.password === "") return [file];
  const secret = {
    path: `${server.node}/postgresql.password`,
    mode: ownerOnly,
    text: `${server.password}\n`,
    belongs: { host, path: password },
  };
  return [file, secret];
}

function placesOf(answers: Answers, { node }: ServerAnswers) {
  const own = isOneHost(answers) ? `-${node}` : "";
  return {
    agent: `/etc/lockkeeper/agent${own}.yaml`,
    password: `/etc/lockkeeper/postgresql${own}.password`,
    stateDir: `/var/lib/lockkeeper-agent${own}`,
  };
}

/** JSON's strings are YAML's. */
const quoted = (text: string) => JSON.stringify(text);

function inventoryText({ cluster, into, old, young }: Answers): string {
  const entry = (name: string, { node, address }: ServerAnswers) => `  ${quoted(name)}:
    engine: postgresql
    topology: standalone
    nodes:
      ${quoted(node)}: { address: ${quoted(address)} }
`;
  return `# schema: inventory
# Written by lockkeeper init postgresql. No password stands here, and none may.
format: 1
clusters:
  # The old server: its databases go over. Settings of the move are its settings.
${entry(cluster, old)}    settings:
      # How many databases are copied at once.
      databases-at-once: 2
      # After this long the fence of writes comes down by itself, unless the new server was opened.
      fence-limit: 2m

  # The new server. The plan closes all its databases to clients until the cut-over; none that is there is dropped.
${entry(into, young)}`;
}

function agentText(answers: Answers, server: ServerAnswers): string {
  const { agent, password, stateDir } = placesOf(answers, server);
  const { node, user, database, address } = server;
  // over its own socket a server asks nobody for a password; on loopback it does
  const host = server.password === "" ? "/var/run/postgresql" : "127.0.0.1";
  const secret = server.password === "" ? "" : `    passwordFile: ${quoted(password)}\n`;
  return `# schema: agent
# ${agent} of ${hostOf(server)}: owned by root, mode 0600. Written by lockkeeper init postgresql.
node: ${quoted(node)}
coordinators: [${answers.coordinators.map(quoted).join(", ")}]
stateDir: ${quoted(stateDir)}
engine:
  kind: postgresql
  settings:
    host: ${quoted(host)}
    port: ${address.slice(address.lastIndexOf(":") + 1)}
    user: ${quoted(user)}
${secret}    maintenanceDatabase: ${quoted(database)}
    tools: ${quoted(answers.tools)}
${answers.insecure ? "# plain text, in a network that somebody trusts\ninsecure: true\n" : ""}`;
}
