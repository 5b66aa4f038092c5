/** A control service on loopback that answers what a test gives it, and the command line as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "nice-grpc";
import { onTestFinished } from "vitest";
import type { ControlPort } from "#coordinator/api/control-port.ts";
import { controlService } from "#coordinator/api/control-service.ts";
import { fail, succeed } from "#proto/common/failure.ts";
import { ControlServiceService } from "#proto/gen/lockkeeper/v1/control_pb.ts";

/** Its address. What the port has not is refused as `test.not-expected`. */
export async function serve(port: Partial<ControlPort>): Promise<string> {
  const server = createServer();
  const refusing = new Proxy(port as ControlPort, {
    get: (target, name: keyof ControlPort) =>
      target[name] ?? (() => Promise.resolve(fail("test.not-expected", { name }))),
  });
  server.add(
    ControlServiceService,
    controlService(refusing, { push: async () => succeed(""), list: async () => [] }),
  );
  onTestFinished(() => server.forceShutdown());
  return `127.0.0.1:${await server.listen("127.0.0.1:0")}`;
}

export interface Typed {
  readonly child: ChildProcess;
  readonly said: () => string;
  /** Exit code; null where a signal ended it. */
  readonly code: Promise<number | null>;
}

/** `lockkeeper` with these words, from the sources, without a terminal. */
export function type(...words: readonly string[]): Typed {
  return start("coordinator/main.ts", ...words);
}

export function start(...argv: readonly string[]): Typed {
  const child = spawn(process.execPath, ["--import", "tsx", ...argv], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, said: () => said, code: new Promise((resolve) => child.on("close", resolve)) };
}
