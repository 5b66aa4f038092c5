/** A small real gRPC server that speaks the coordinator's side of the contract, as far as a test tells it to. */
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
  status,
} from "@grpc/grpc-js";
import {
  AgentServiceService,
  type ConnectRequest,
  type ConnectResponse,
  type FetchArtefactRequest,
  type FetchArtefactResponse,
  type Hello,
  type Welcome,
} from "#proto/gen/lockkeeper/v1/agent_pb.ts";

type Sent = NonNullable<ConnectResponse["message"]>;
type Received = NonNullable<ConnectRequest["message"]>;
type Stream = ServerDuplexStream<ConnectRequest, ConnectResponse>;

export interface Behaviour {
  /** What the Welcome says besides the usual; asked at each Hello. */
  readonly welcome?: (hello: Hello) => Partial<Welcome>;
  /** Answers an enter with yes, unless it says otherwise. */
  readonly grants?: boolean;
  readonly artefact?: (
    request: FetchArtefactRequest,
    stream: ServerWritableStream<FetchArtefactRequest, FetchArtefactResponse>,
  ) => void | Promise<void>;
}

export class TestCoordinator {
  readonly hellos: Hello[] = [];
  /** All that agents have sent after Hello, beats left out. */
  readonly received: Received[] = [];
  readonly beats: Received[] = [];
  behaviour: Behaviour = {};
  port = 0;
  #server = new Server();
  #stream: Stream | undefined;
  readonly #waiting = new Set<() => void>();

  async listen(port = 0): Promise<void> {
    this.#server = new Server();
    this.#server.addService(AgentServiceService, {
      connect: (stream: Stream) => this.#serve(stream),
      fetchArtefact: (stream: ServerWritableStream<FetchArtefactRequest, FetchArtefactResponse>) => {
        if (this.behaviour.artefact === undefined) stream.destroy(new Error("no artefacts here"));
        else void this.behaviour.artefact(stream.request, stream);
      },
    });
    this.port = await new Promise((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get attached(): boolean {
    return this.#stream !== undefined;
  }

  close(): void {
    this.#stream = undefined;
    this.#server.forceShutdown();
  }

  /** Ends the present stream without a word, as a dead coordinator does. */
  cut(): void {
    this.#stream?.emit("error", { code: status.UNAVAILABLE, details: "cut" });
    this.#stream = undefined;
  }

  send(message: Sent): void {
    this.#stream?.write({ message });
  }

  /** Waits until `found` gives something; fails with what it has seen after `limitMs`. */
  async until<T>(found: () => T | undefined | false, limitMs = 15_000): Promise<T> {
    const until = performance.now() + limitMs;
    for (;;) {
      const value = found();
      if (value !== undefined && value !== false) return value;
      const leftMs = until - performance.now();
      if (leftMs <= 0)
        throw new Error(`not seen: ${found.toString()}\nreceived: ${JSON.stringify(this.received, null, 1)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, Math.min(leftMs, 50));
        const waiting = this.#waiting;
        function done() {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        }
        waiting.add(done);
      });
    }
  }

  async attach(count = this.hellos.length + 1): Promise<Hello> {
    return this.until(() => this.attached && this.hellos[count - 1]);
  }

  of<C extends Received["$case"]>(kind: C) {
    type Kind = Extract<Received, { readonly $case: C }>;
    return this.received
      .filter((message): message is Kind => message.$case === kind)
      .map(({ value }) => value as Kind["value"]);
  }

  #serve(stream: Stream): void {
    stream.on("error", () => undefined);
    stream.on("data", ({ message }: ConnectRequest) => {
      if (message === undefined) return;
      if (message.$case === "hello") this.#greet(stream, message.value);
      else if (message.$case === "health" && message.value.request === "") this.beats.push(message);
      else this.received.push(message);
      if (message.$case === "enterRequest" && this.behaviour.grants !== false) {
        const { cluster, epoch, nonce } = message.value;
        stream.write({ message: { $case: "enterGranted", value: { cluster, epoch, nonce } } });
      }
      for (const wake of [...this.#waiting]) wake();
    });
    stream.on("end", () => stream.end());
    stream.on("close", () => {
      if (this.#stream === stream) this.#stream = undefined;
    });
  }

  #greet(stream: Stream, hello: Hello): void {
    const welcome: Welcome = {
      coordinator: "test",
      leads: true,
      leader: "",
      contract: 1,
      have: [],
      beatMs: 0,
      ...this.behaviour.welcome?.(hello),
    };
    stream.write({ message: { $case: "welcome", value: welcome } });
    this.hellos.push(hello);
    if (welcome.leads) this.#stream = stream;
  }
}
