/** The end of what a rollout has kept of containers: the old one that was set aside, and the tag on its image. */
import { type Failure, failure, type Outcome } from "#proto/common/failure.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import type { StepContext } from "../../verb.ts";
import type { Docker } from "./docker.ts";
import type { InContainer } from "./image-verbs.ts";
import { keptTag } from "./images.ts";
import { lastLine } from "./last-line.ts";
import { forgetReplaced } from "./replaced.ts";
import { asideName, forgetSetAside } from "./set-aside.ts";

interface Kept {
  readonly label: string;
  /** The rollout that one has gone back from; where it is absent, the present one. */
  readonly of?: string | undefined;
}

/** Only what that rollout has kept, by names with the rollout in them; volumes of the container stay. */
export const forgetKept: InContainer<Kept> = async ({ host, tool, rollout: own }, args, here) => {
  const { docker } = here;
  const of = args.of ?? own;
  const name = here.form === "docker-run" && here.name.ok ? here.name.value : undefined;
  const aside = name === undefined ? undefined : asideName(name, of);
  if (name !== undefined && aside !== undefined) {
    const old = await docker.container(aside);
    if (!old.ok) return failedBy(old.failure);
    if (old.value?.State.Running === true) return failed("kwdb.container-runs", { container: aside });
    const why = await whyLeft(tool, docker, { words: ["rm", aside], left: () => docker.container(aside) });
    if (why !== undefined) return failedBy(why);
    await forgetSetAside(host, { name, rollout: of });
  }
  const kept = keptTag(args.label, of);
  const why = await whyLeft(tool, docker, { words: ["rmi", kept], left: () => docker.image(kept) });
  if (why !== undefined) return failedBy(why);
  if (here.form === "compose") await forgetReplaced(host);
  return done({ ...(aside === undefined ? {} : { container: aside }), image: kept });
};

interface Removal {
  readonly words: readonly string[];
  left(): Promise<Outcome<unknown>>;
}

/** Called also for what is gone: after the agent's death the step's tools are known again by their order. */
async function whyLeft(
  tool: StepContext["tool"],
  docker: Docker,
  { words, left }: Removal,
): Promise<Failure | undefined> {
  const ran = await tool(docker.command(words));
  const found = await left();
  if (!found.ok) return found.failure;
  return found.value === undefined
    ? undefined
    : failure("kwdb.docker-failed", { what: `docker ${words.join(" ")}`, cause: lastLine(ran.tail) });
}
