/**
 * The stand-in's RPC: one JSON object a line over TCP, or over TLS where certificates were given. A line that is no
 * object, or too long, ends the connection.
 */
import net from "node:net";
import { createInterface } from "node:readline";
import tls from "node:tls";
import type { Credentials } from "./certs.ts";
import type { ErrorParts } from "./cli-error.ts";
import type { Table } from "./table.ts";

export interface Frame {
  readonly rpc: string;
  readonly [field: string]: unknown;
}

/** A reply; `more` announces that another one follows. */
export interface Reply {
  readonly error?: ErrorParts;
  readonly table?: Table;
  readonly tag?: string;
  readonly more?: boolean;
  readonly [field: string]: unknown;
}

/** Undefined leaves the caller without an answer, as a hung node does. */
export type Handler = (frame: Frame, send: (reply: Reply) => void) => Promise<Reply | undefined>;

/** Of this process: as whom it speaks to others; undefined in the clear. */
let own: Credentials | undefined;

export function speakAs(credentials: Credentials | undefined): void {
  own = credentials;
}

/** First byte of a TLS handshake. */
const handshake = 0x16;

/** On one port: who begins a handshake must end it, with a certificate of ours; others are told by the handler. */
function attendAny(handler: Handler, secure: Credentials | undefined): (socket: net.Socket) => void {
  const server = secure && tls.createServer({ ...secure, requestCert: true, rejectUnauthorized: true });
  server?.on("secureConnection", (socket) =>
    attend(socket, (frame, send) => handler({ ...frame, secure: true }, send)),
  );
  const inTheClear: Handler = (frame, send) => handler({ ...frame, secure: false }, send);
  return (socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("readable", () => {
      const begun = socket.read() as Buffer | null;
      if (begun === null) return;
      socket.unshift(begun);
      if (begun[0] !== handshake) attend(socket, server === undefined ? handler : inTheClear);
      else if (server === undefined) socket.destroy();
      else server.emit("connection", socket);
    });
  };
}

const longestLine = 4 * 1024 * 1024;

function parse(line: string): Frame | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "rpc" in value && typeof value.rpc === "string"
      ? (value as Frame)
      : undefined;
  } catch {
    return undefined;
  }
}

function attend(socket: net.Socket, handler: Handler): void {
  let waiting = "";
  const send = (reply: Reply) => socket.writable && socket.write(`${JSON.stringify(reply)}\n`);
  socket.setEncoding("utf8");
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: string) => {
    waiting += chunk;
    const lines = waiting.split("\n");
    waiting = lines.pop() ?? "";
    if (waiting.length > longestLine) socket.destroy();
    for (const line of lines) {
      const frame = parse(line);
      if (frame === undefined) {
        socket.destroy();
        return;
      }
      handler(frame, send)
        .then((reply) => reply && send(reply))
        .catch((error: unknown) => send({ error: { message: String(error) } }));
    }
  });
}

/** Listens on each host at the same port; rejects with the system's error when one cannot be had. */
export async function listen(
  hosts: readonly string[],
  port: number,
  handler: Handler,
  secure?: Credentials,
): Promise<readonly net.Server[]> {
  return Promise.all(
    hosts.map(
      (host) =>
        new Promise<net.Server>((resolve, reject) => {
          const server = net.createServer(attendAny(handler, secure));
          server.once("error", reject);
          server.listen(port, host, () => resolve(server));
        }),
    ),
  );
}

export function splitAddress(
  address: string,
  defaultPort: number,
): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(":");
  const host = at < 0 ? address : address.slice(0, at);
  const port = at < 0 ? defaultPort : Number(address.slice(at + 1));
  return { host: host === "" || host === "0.0.0.0" ? "127.0.0.1" : host, port };
}

/** Replies to one frame, in order, until one does not announce another. Throws the system's error, or ETIMEDOUT. */
export async function* ask(address: string, frame: Frame, deadlineMs: number): AsyncGenerator<Reply> {
  const place = splitAddress(address, 26257);
  const socket = own === undefined ? net.connect(place) : tls.connect({ ...place, ...own });
  const timer = setTimeout(
    () => socket.destroy(Object.assign(new Error("i/o timeout"), { code: "ETIMEDOUT" })),
    deadlineMs,
  );
  const failed = new Promise<never>((_, reject) => socket.once("error", reject));
  failed.catch(() => undefined);
  try {
    const ready = own === undefined ? "connect" : "secureConnect";
    await Promise.race([new Promise((resolve) => socket.once(ready, resolve)), failed]);
    socket.write(`${JSON.stringify(frame)}\n`);
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    for (;;) {
      const line = await Promise.race([lines.next(), failed]);
      if (line.done === true) throw Object.assign(new Error("unexpected EOF"), { code: "ECONNRESET" });
      const reply = JSON.parse(line.value) as Reply;
      yield reply;
      if (reply.more !== true) return;
    }
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

export async function askOnce(address: string, frame: Frame, deadlineMs: number): Promise<Reply> {
  for await (const reply of ask(address, frame, deadlineMs)) return reply;
  throw new Error("unexpected EOF");
}
