/** PostgreSQL's COPY over pg's own connection: its rows in its own CSV, nothing of it made here. */
import type { Connection, Submittable } from "pg";

interface Wire extends Connection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

abstract class Copy<T> implements Submittable {
  readonly #text: string;
  readonly #done = deferred<T>();
  #error: Error | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  submit(connection: Connection): void {
    (connection as Wire).query(this.#text);
  }

  protected get result(): Promise<T> {
    return this.#done.promise;
  }

  protected abstract found(): T;

  handleError(error: Error): void {
    this.#error = error;
    this.#done.reject(error);
  }

  handleReadyForQuery(): void {
    if (this.#error === undefined) this.#done.resolve(this.found());
  }

  handleCommandComplete(_: { readonly text?: string }): void {}
  handleCopyData(_: { readonly chunk: Buffer }): void {}
  handleCopyInResponse(_: Connection): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
}

export class CopyOut extends Copy<Buffer> {
  readonly #chunks: Buffer[] = [];

  get whole(): Promise<Buffer> {
    return this.result;
  }

  override handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    this.#chunks.push(chunk);
  }

  protected found(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

export class CopyIn extends Copy<number> {
  readonly #csv: Buffer;
  #rows = 0;

  constructor(text: string, csv: Buffer) {
    super(text);
    this.#csv = csv;
  }

  get taken(): Promise<number> {
    return this.result;
  }

  override handleCopyInResponse(connection: Connection): void {
    (connection as Wire).sendCopyFromChunk(this.#csv);
    (connection as Wire).endCopyFrom();
  }

  override handleCommandComplete({ text = "" }: { readonly text?: string }): void {
    this.#rows = Number(/\d+$/.exec(text)?.[0] ?? 0);
  }

  protected found(): number {
    return this.#rows;
  }
}

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
