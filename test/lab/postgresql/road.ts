// A way from this process, which is outside of the lab's network, to a server inside: a socket in the lab's folder,
// passed on over the network by a small process at our side. The server sees a client that comes from our address.
import { mkdirSync } from "node:fs";
import type { Lab } from "../harness/index.ts";
import { until } from "../harness/index.ts";
import { type PgHost, port } from "./pg-host.ts";

const program = `
const net = require("node:net");
const [socket, port, host] = process.argv.slice(1);
const server = net.createServer({ allowHalfOpen: true }, (near) => {
  const far = net.connect({ port: Number(port), host, allowHalfOpen: true });
  for (const [from, to] of [[near, far], [far, near]]) {
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroySoon());
    from.pipe(to);
  }
});
server.listen(socket);
`;

export interface Road extends AsyncDisposable {
  /** The folder that a client is given as its host. */
  readonly folder: string;
  /** For a client in this process, as a role that was made on the server. */
  url(role: string, database?: string): string;
}

/** Open until it or the lab is disposed of; a server that is away only breaks the connections of that time. */
export async function openRoad(lab: Lab, server: PgHost): Promise<Road> {
  const folder = lab.file(`to-${server.host.name}`);
  mkdirSync(folder);
  const socket = `${folder}/.s.PGSQL.${port}`;
  const argv = [process.execPath, "-e", program, socket, String(port), server.host.ip];
  const relay = lab.start(argv, { outputFile: `${folder}/log` });
  await until("the road is open", async () => {
    if (!relay.isRunning) throw new Error(`the road ended: ${relay.output()}`);
    return (await lab.run(["test", "-S", socket])).code === 0;
  });
  return {
    folder,
    url: (role, database = "postgres") => {
      const login = `${role}:${encodeURIComponent(server.passwordOf(role))}`;
      return `postgresql://${login}@localhost:${port}/${encodeURIComponent(database)}?host=${encodeURIComponent(folder)}`;
    },
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}
