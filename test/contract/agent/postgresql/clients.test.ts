/** Who counts as a client behind a fence: whoever is in, and nobody who still stands at the door. */
import { writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import pg from "pg";
import { afterEach, describe, expect, it } from "vitest";
import { clientCount } from "#agent/engines/postgresql/facts.ts";
import { postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import type { PostgresServer } from "#test/postgres/server.ts";
import { run, serverOf, stopAll } from "./asked-server.ts";

afterEach(stopAll);

const plain = { settings: postgresqlSettings.parse({ tools: "/bin" }) };
const managed = {
  settings: postgresqlSettings.parse({ tools: "/bin", patroni: { config: "/etc/patroni/config.yml" } }),
};

const superuser = (server: PostgresServer) => new URL(server.urlOf("postgres")).username;

/** Asks to come in, and never answers when the server wants a password. */
async function atTheDoor(server: PostgresServer): Promise<net.Socket> {
  const words = Buffer.from("user\0visitor\0database\0postgres\0\0");
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + words.length, 0);
  head.writeInt32BE(196_608, 4);
  const socket = net.connect(server.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(Buffer.concat([head, words]));
  await new Promise((resolve) => socket.once("data", resolve));
  return socket;
}

async function counted(server: PostgresServer, means = plain): Promise<string> {
  const client = new pg.Client({ connectionString: server.urlOf("postgres") });
  await client.connect();
  try {
    return (await client.query(`SELECT ${clientCount(means)} AS n`)).rows[0].n;
  } finally {
    await client.end();
  }
}

describe.each([15, 18] as const)("the clients of PostgreSQL %i", (major) => {
  it("are those that are in: one that is still asked for its password is none", async () => {
    const server = await serverOf(major);
    await run(server, "postgres", "CREATE ROLE visitor LOGIN PASSWORD 'x'");
    const rules = `host all ${superuser(server)} 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n`;
    writeFileSync(path.join(server.data, "pg_hba.conf"), rules);
    await run(server, "postgres", "SELECT pg_reload_conf()", "SELECT pg_sleep(0.3)");
    expect(await counted(server)).toBe("0");
    const visitor = await atTheDoor(server);
    expect(await counted(server)).toBe("0");
    visitor.destroy();
    const client = new pg.Client({ connectionString: server.urlOf("postgres") });
    await client.connect();
    expect(await counted(server)).toBe("1");
    await client.end();
  });

  it("are not Patroni's own sessions where the agent's file names it, and whoever else takes its name is one", async () => {
    const server = await serverOf(major);
    await run(server, "postgres", "CREATE ROLE app LOGIN");
    const as = async (user: string, name: string) => {
      const url = new URL(server.urlOf("postgres"));
      url.username = user;
      const client = new pg.Client({ connectionString: url.href, application_name: name });
      await client.connect();
      return client;
    };
    const sessions = [
      await as(superuser(server), "Patroni"),
      await as(superuser(server), "Patroni heartbeat"),
    ];
    expect(await counted(server)).toBe("2");
    expect(await counted(server, managed)).toBe("0");
    sessions.push(await as("app", "Patroni"), await as(superuser(server), "patronise"));
    expect(await counted(server, managed)).toBe("2");
    for (const session of sessions) await session.end();
  });
});
