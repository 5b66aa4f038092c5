/**
 * An application that writes all through an upgrade and remembers what it was promised: every acknowledged row by
 * the server that accepted it, and those of which nobody knows, because the connection was lost in COMMIT.
 */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { bodies, deletes, type WriterLog } from "./rows-proof.ts";

const connectMs = 1_000;
const answerMs = 5_000;
const backOffMs = 20;

export interface WriterOptions {
  /** Tried in turn, each as long as it accepts. */
  readonly urls: readonly string[];
  /** As SQL writes it; has `id bigint` and `body text`. */
  readonly table: string;
  /** Between two transactions; 20 where not told. */
  readonly everyMs?: number;
  /** The first id; 1 where not told. */
  readonly startAt?: number;
}

type Outcome = "accepted" | "refused" | "unknown";

export function startWriter(options: WriterOptions): Writer {
  return new Writer(options);
}

/** Writes from its making to `stop`. */
export class Writer {
  readonly #options: WriterOptions;
  readonly #accepted: WriterLog["accepted"][number][] = [];
  readonly #unknown: number[] = [];
  readonly #refusals: string[] = [];
  readonly #loop: Promise<void>;
  #client: pg.Client | undefined;
  readonly #first: number;
  #tried = 0;
  #turn = 0;
  #lastAt = Date.now();
  #longestPauseMs = 0;
  #stopped = false;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#first = options.startAt ?? 1;
    this.#loop = this.#write();
  }

  get log(): WriterLog {
    return {
      table: this.#options.table,
      tried: [this.#first, this.#tried],
      accepted: [...this.#accepted],
      unknown: [...this.#unknown],
      longestPauseMs: Math.max(this.#longestPauseMs, this.#stopped ? 0 : Date.now() - this.#lastAt),
      refusals: [...this.#refusals],
    };
  }

  /** Resolves when so many rows were accepted, or rejects after the limit. */
  async accepted(count: number, limitMs = 10_000): Promise<void> {
    for (const end = Date.now() + limitMs; this.#accepted.length < count; await sleep(10))
      if (Date.now() > end)
        throw new Error(
          `${this.#accepted.length} of ${count} rows accepted; last: ${this.#refusals.at(-1) ?? "no refusal"}`,
        );
  }

  async stop(): Promise<WriterLog> {
    this.#pauseUntil(Date.now());
    this.#stopped = true;
    await this.#loop;
    await this.#drop();
    return this.log;
  }

  /** A refused id is tried again, an unknown one never. */
  async #write(): Promise<void> {
    for (let id = this.#first; !this.#stopped; ) {
      this.#tried = id;
      const before = Date.now();
      const outcome = await this.#transaction(id);
      if (outcome === "accepted") {
        const at = Date.now();
        if (!this.#stopped) this.#pauseUntil(at);
        this.#accepted.push({ id, server: this.#url, before, at });
      } else {
        if (outcome === "unknown") this.#unknown.push(id);
        await this.#drop();
        this.#turn += 1;
      }
      if (outcome !== "refused") id += 1;
      await sleep(outcome === "accepted" ? (this.#options.everyMs ?? 20) : backOffMs);
    }
  }

  /** Inserts a row, changes the one before, and deletes of every tenth the fifth before it. */
  async #transaction(id: number): Promise<Outcome> {
    const { table } = this.#options;
    try {
      const client = await this.#connected();
      await client.query("begin");
      await client.query(`insert into ${table} (id, body) values ($1, $2) returning id`, [id, bodies.fresh]);
      if (id > this.#first)
        await client.query(`update ${table} set body = $2 where id = $1`, [id - 1, bodies.changed]);
      if (deletes(id) && id - 5 >= this.#first)
        await client.query(`delete from ${table} where id = $1`, [id - 5]);
    } catch (error) {
      this.#refused(error);
      return "refused";
    }
    return this.#commit();
  }

  async #commit(): Promise<Outcome> {
    try {
      // one that had failed says ROLLBACK
      const ended = await this.#client?.query("commit");
      return ended?.command === "COMMIT" ? "accepted" : "refused";
    } catch (error) {
      this.#refused(error);
      return error instanceof pg.DatabaseError && error.severity === "ERROR" ? "refused" : "unknown";
    }
  }

  get #url(): string {
    const { urls } = this.#options;
    return urls[this.#turn % urls.length] ?? "";
  }

  async #connected(): Promise<pg.Client> {
    if (this.#client !== undefined) return this.#client;
    const client = new pg.Client({
      connectionString: this.#url,
      connectionTimeoutMillis: connectMs,
      query_timeout: answerMs,
      application_name: "writer",
    });
    client.on("error", () => undefined);
    this.#client = client;
    await client.connect();
    return client;
  }

  async #drop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    // a frozen server does not take leave
    if (client !== undefined) await Promise.race([client.end().catch(() => undefined), sleep(connectMs)]);
  }

  #refused(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (this.#refusals.at(-1) !== text) this.#refusals.push(text);
  }

  #pauseUntil(at: number): void {
    this.#longestPauseMs = Math.max(this.#longestPauseMs, at - this.#lastAt);
    this.#lastAt = at;
  }
}
