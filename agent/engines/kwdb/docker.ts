/** The Docker engine of this host, asked through its own client: JSON, never tables made for people; never a tty. */
import { z } from "zod";
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host, Look, ToolRequest } from "../../verb.ts";

const lookMs = 15_000;

const texts = z.array(z.string()).nullish();
const record = z.record(z.string(), z.unknown());

const mountSchema = z.looseObject({
  Type: z.string(),
  Name: z.string().optional(),
  Source: z.string().optional(),
  Destination: z.string(),
  RW: z.boolean().optional(),
});

export const inspectedSchema = z.looseObject({
  Id: z.string(),
  Name: z.string(),
  /** `sha256:…` of the image that it was made from. */
  Image: z.string(),
  State: z.looseObject({
    Status: z.string(),
    Running: z.boolean(),
    Restarting: z.boolean().optional(),
    Pid: z.number(),
    StartedAt: z.string(),
    ExitCode: z.number().optional(),
  }),
  Config: z.looseObject({
    Image: z.string(),
    Hostname: z.string().optional(),
    Cmd: texts,
    Entrypoint: texts,
    Env: texts,
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
  HostConfig: record,
  Mounts: z.array(mountSchema).default([]),
  NetworkSettings: z.looseObject({ Networks: z.record(z.string(), z.unknown()).nullish() }).optional(),
});
export type Inspected = z.infer<typeof inspectedSchema>;

export const imageSchema = z.looseObject({
  Id: z.string(),
  RepoTags: texts,
  RepoDigests: texts,
  Architecture: z.string().optional(),
  Config: z
    .looseObject({
      Env: texts,
      Cmd: texts,
      Entrypoint: texts,
      Labels: z.record(z.string(), z.string()).nullish(),
    })
    .nullish(),
});
export type InspectedImage = z.infer<typeof imageSchema>;

export interface Docker {
  look(words: readonly string[], deadlineMs?: number): Promise<Look>;
  command(words: readonly string[]): ToolRequest;
  /** undefined: there is none of this name. Refused: `kwdb.docker-failed`. */
  container(name: string): Promise<Outcome<Inspected | undefined>>;
  image(reference: string): Promise<Outcome<InspectedImage | undefined>>;
  /** Of every container, running or not. */
  all(): Promise<Outcome<readonly Inspected[]>>;
}

/** `user`: as whom the client is called, where the agent's file names one. */
export function dockerOn(host: Host, { user }: { readonly user?: string | undefined }): Docker {
  const as = user === undefined ? {} : { user };
  const look: Docker["look"] = (words, deadlineMs = lookMs) =>
    host.look(["docker", ...words], { deadlineMs, ...as });
  const inspect = async <T>(type: "container" | "image", name: string, schema: z.ZodType<T>) => {
    const found = await look([type, "inspect", name]);
    if (/no such (container|image|object)/i.test(found.stderr)) return succeed(undefined);
    const read = parse(found, z.array(schema), `docker ${type} inspect ${name}`);
    return read.ok ? succeed(read.value[0]) : read;
  };
  return {
    look,
    command: (words) => ({ argv: ["docker", ...words], ...as }),
    container: (name) => inspect("container", name, inspectedSchema),
    image: (reference) => inspect("image", reference, imageSchema),
    async all() {
      const listed = await look(["ps", "--all", "--quiet", "--no-trunc"]);
      if (listed.exitCode !== 0) return { ok: false, failure: dockerFailure(listed, "docker ps") };
      const ids = listed.stdout.split("\n").filter((line) => line !== "");
      const each = await Promise.all(ids.map((id) => inspect("container", id, inspectedSchema)));
      const bad = each.find((one) => !one.ok);
      if (bad !== undefined && !bad.ok) return bad;
      // one that went between the two questions is not there any more
      return succeed(each.flatMap((one) => (one.ok && one.value !== undefined ? [one.value] : [])));
    },
  };
}

function parse<T>(look: Look, schema: z.ZodType<T>, what: string): Outcome<T> {
  if (look.exitCode !== 0) return { ok: false, failure: dockerFailure(look, what) };
  try {
    const read = schema.safeParse(JSON.parse(look.stdout));
    return read.success
      ? succeed(read.data)
      : fail("kwdb.docker-failed", {
          what,
          cause: `not understood: ${read.error.issues[0]?.path.join(".") ?? ""}`,
        });
  } catch {
    return fail("kwdb.docker-failed", { what, cause: "its answer is no JSON" });
  }
}

/** The client's own last line, or why it could not be called. */
export function dockerFailure(look: Look, what: string): Failure {
  const said = look.stderr.trim().split("\n").at(-1) ?? "";
  const cause = look.spawnError ?? (look.timedOut ? "it did not answer in time" : said);
  const code = /permission denied/i.test(cause) ? "kwdb.docker-not-permitted" : "kwdb.docker-failed";
  return failure(code, { what, cause: cause || `exit ${look.exitCode}` });
}
