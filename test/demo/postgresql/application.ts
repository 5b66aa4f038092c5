/** The application of the demo: what it has stored, what it goes on writing, and whether every word to it was kept. */
import { proveRows, type WriterLog } from "#test/postgres/rows-proof.ts";
import { startWriter, type Writer } from "#test/postgres/writer.ts";
import { type Node, type PostgresDemo, sides } from "./fleet.ts";

const database = "shop";

const stored = [
  "CREATE TABLE written (id bigint PRIMARY KEY, body text)",
  "CREATE TABLE customers (id int PRIMARY KEY, name text)",
  "INSERT INTO customers SELECT i, 'customer ' || i FROM generate_series(1, 10000) AS i",
  "CREATE TABLE items (id int PRIMARY KEY, customer int REFERENCES customers, what text)",
  "INSERT INTO items SELECT i, 1 + i % 10000, md5(i::text) FROM generate_series(1, 60000) AS i",
  "CREATE INDEX ON items (customer)",
  // without a key of its own
  "CREATE TABLE visits (at timestamptz, page text)",
  "INSERT INTO visits SELECT now(), 'page ' || i FROM generate_series(1, 5000) AS i",
  "CREATE SEQUENCE invoices START 40 INCREMENT 3",
  "SELECT nextval('invoices'), nextval('invoices')",
  "GRANT ALL ON ALL TABLES IN SCHEMA public TO app",
];

export class Application {
  readonly #demo: PostgresDemo;
  readonly #writer: Writer;

  private constructor(demo: PostgresDemo, writer: Writer) {
    this.#demo = demo;
    this.#writer = writer;
  }

  /** With its role, its database and its rows on the old server; it writes from now on. */
  static async begin(demo: PostgresDemo): Promise<Application> {
    const run = (name: string, statements: readonly string[]) =>
      demo.on("old1", name, async (client) => {
        for (const statement of statements) await client.query(statement);
      });
    await run("postgres", [
      "CREATE ROLE app LOGIN PASSWORD 'nobody is told'",
      "CREATE DATABASE shop OWNER app",
    ]);
    await run(database, stored);
    const urls = (["old1", "new1"] as const).map((node) => demo.server(node).urlOf(database, "app"));
    const application = new Application(demo, startWriter({ urls, table: "written" }));
    await application.writesOn(20);
    return application;
  }

  /** Resolves when so many more rows were accepted, by whichever server. */
  writesOn(more: number): Promise<void> {
    return this.#writer.accepted(this.#writer.log.accepted.length + more);
  }

  stop(): Promise<WriterLog> {
    return this.#writer.stop();
  }

  /** How long no write was accepted where it went from one server to the other, the last time. */
  lastChangeMs(): number {
    const { accepted } = this.#writer.log;
    const at = accepted.findLastIndex(
      ({ server }, index) => index > 0 && accepted[index - 1]?.server !== server,
    );
    return (accepted[at]?.at ?? 0) - (accepted[at - 1]?.at ?? 0);
  }

  /** The sequence's next value there. */
  nextInvoice(node: Node): Promise<string> {
    return this.#demo.on(node, database, async (client) => {
      const { rows } = await client.query<{ n: string }>("SELECT nextval('invoices') AS n");
      return rows[0]?.n ?? "";
    });
  }

  /** Lines that tell the proof, and whether it holds. */
  async proof(node: Node): Promise<{ readonly lines: readonly string[]; readonly holds: boolean }> {
    const log = await this.stop();
    const { lost, doubled, stale, strange } = await this.#demo.on(node, database, (client) =>
      proveRows(log, client),
    );
    const wrong = [lost, doubled, stale, strange].reduce((sum, { length }) => sum + length, 0);
    const by = (server: Node) => {
      const url = this.#demo.server(server).urlOf(database, "app");
      return log.accepted.filter((row) => row.server === url).length;
    };
    return {
      holds: wrong === 0,
      lines: [
        `rows accepted: ${log.accepted.length} (${by("old1")} by PostgreSQL ${sides.old1.major}, ${by("new1")} by ${sides.new1.major})`,
        `lost: ${lost.length}`,
        `doubled: ${doubled.length}`,
        `changes lost: ${stale.length}`,
        `never accepted, but there: ${strange.length}`,
        ...(log.unknown.length === 0
          ? []
          : [`connection lost in COMMIT, so not counted: ${log.unknown.length}`]),
      ],
    };
  }
}
