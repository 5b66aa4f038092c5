/** What a port scanner, a browser, a broken client and a confused one send. */
import { connect as connectHttp2 } from "node:http2";
import { createServer, type Server, Socket } from "node:net";

/** The same bytes in every run, and no pattern in them. */
function noise(bytes: number): Buffer {
  let state = 1;
  return Buffer.from(
    Array.from({ length: bytes }, () => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return (state >> 16) & 0xff;
    }),
  );
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export const payloads: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  noise: noise(64 * 1024),
  "HTTP/1.1": Buffer.from("GET /metrics HTTP/1.1\r\nHost: db1\r\n\r\n"),
  TLS: Buffer.concat([Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]), noise(512)]),
  "HTTP/2 and then noise": Buffer.concat([preface, noise(4_096)]),
  "a frame longer than allowed": Buffer.concat([preface, Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])]),
  "an order of NATS": Buffer.from("PUB $JS.API.STREAM.DELETE.KV_lockkeeper-locks 0\r\n\r\n"),
};

/** Sends the bytes and takes what comes, until the other side closes or a moment has passed. */
export function send(port: number, payload: Buffer, waitMs = 300): Promise<void> {
  return new Promise((resolve) => {
    const socket = new Socket();
    socket.on("error", () => resolve());
    socket.on("close", () => resolve());
    socket.on("data", () => undefined);
    socket.setTimeout(waitMs, () => socket.destroy());
    socket.connect(port, "127.0.0.1", () => void socket.write(payload));
  });
}

/** A well-formed call of a method with a body that is none of its messages; resolves with the gRPC status. */
export function call(address: string, path: string, body: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${address}`);
    const done = (status: string) => {
      session.destroy();
      resolve(status);
    };
    session.on("error", () => done("connection"));
    const request = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    let status = "none";
    request.on("response", (headers) => (status = String(headers["grpc-status"] ?? status)));
    request.on("trailers", (headers) => (status = String(headers["grpc-status"] ?? status)));
    request.on("error", () => done("stream"));
    request.on("close", () => done(status));
    request.on("data", () => undefined);
    request.setTimeout(5_000, () => done("silence"));
    request.end(body);
  });
}

/** A message frame as gRPC has it: a flag, a length, the bytes. The length may lie. */
function framed(payload: Buffer, length = payload.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, payload]);
}

export const noisyMessage = framed(noise(200));
export const lyingMessage = framed(noise(20), 4_000_000_000);

/** Answers everybody with noise, as long as it is open. */
export async function noisyServer(): Promise<{ readonly address: string; readonly server: Server }> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.write(noise(1_024));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  return { server, address: `127.0.0.1:${typeof bound === "object" ? bound?.port : 0}` };
}
