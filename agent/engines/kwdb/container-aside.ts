/** A container of `docker run` set aside under another name, and brought back: it is not removed by either. */
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { done, failed, failedBy } from "../../outcome.ts";
import type { StepContext, StepResult, ToolRun } from "../../verb.ts";
import { ownName } from "./container-change.ts";
import type { ContainerInstallation } from "./container-installation.ts";
import type { Inspected } from "./docker.ts";
import { lastLine } from "./last-line.ts";
import { asideName, forgetSetAside, readSetAside, type SetAside, writeSetAside } from "./set-aside.ts";

export async function isSetAside(
  { rollout }: StepContext,
  _: unknown,
  here: ContainerInstallation,
): Promise<Outcome<boolean>> {
  const found = await asideOf(here, rollout);
  if (!found.ok) return found;
  const { aside } = found.value;
  return succeed(aside !== undefined && policyOf(aside) === "no");
}

/** Under its own name, and nothing of it is remembered: what is remembered is not put back yet. */
export async function isBroughtBack(
  { host, rollout }: StepContext,
  _: unknown,
  here: ContainerInstallation,
): Promise<Outcome<boolean>> {
  const found = await asideOf(here, rollout);
  if (!found.ok) return found;
  const { name, aside } = found.value;
  return succeed(aside === undefined && (await readSetAside(host, name, rollout)) === undefined);
}

/** Its own name, and the container that stands under the other one. */
async function asideOf(
  here: ContainerInstallation,
  rollout: string,
): Promise<Outcome<{ readonly name: string; readonly aside: Inspected | undefined }>> {
  const name = ownName(here);
  if (!name.ok) return name;
  const aside = await here.docker.container(asideName(name.value, rollout));
  return aside.ok ? succeed({ name: name.value, aside: aside.value }) : aside;
}

/** Renamed, and not to be restarted by the engine: after the host's next boot it would come up beside the new one. */
export async function setAside(
  { host, tool, rollout }: StepContext,
  _: unknown,
  here: ContainerInstallation,
): Promise<StepResult> {
  const name = ownName(here);
  if (!name.ok) return failedBy(name.failure);
  const aside = asideName(name.value, rollout);
  const found = await byEitherName(here, aside);
  if (!found.ok) return failedBy(found.failure);
  const old = found.value;
  if (old.State.Running) return failed("kwdb.container-runs", { container: name.value });
  const known = await readSetAside(host, name.value, rollout);
  if (known === undefined) {
    const restartPolicy = (old.HostConfig["RestartPolicy"] ?? {}) as SetAside["restartPolicy"];
    await writeSetAside(host, { name: name.value, aside, id: old.Id, rollout, restartPolicy });
  }
  const updated = await tool(here.docker.command(["update", "--restart=no", old.Id]));
  const ran = await tool(here.docker.command(["rename", old.Id, aside]));
  const after = await here.docker.container(aside);
  if (!after.ok) return failedBy(after.failure, ran.tail);
  if (after.value?.Id !== old.Id)
    return failed(
      "kwdb.container-not-renamed",
      { container: name.value, cause: lastLine(ran.tail) },
      ran.tail,
    );
  const why = whyOtherPolicy(after.value, "no", updated);
  return why === undefined ? done({ container: aside, id: old.Id }) : failedBy(why, updated.tail);
}

/** Two containers that the engine restarts would be two databases on one folder after the host's next boot. */
function whyOtherPolicy(found: Inspected, wanted: string, { tail }: ToolRun): Failure | undefined {
  const policy = policyOf(found);
  return policy === wanted
    ? undefined
    : failure("kwdb.restart-policy-left", {
        container: found.Name.replace(/^\//, ""),
        policy,
        wanted,
        cause: lastLine(tail),
      });
}

/** After the agent's own death in mid step the old one may have its new name already. */
async function byEitherName(here: ContainerInstallation, aside: string): Promise<Outcome<Inspected>> {
  const renamed = await here.docker.container(aside);
  if (!renamed.ok) return renamed;
  const found = renamed.value === undefined ? await here.inspect() : renamed;
  if (!found.ok) return found;
  return found.value === undefined
    ? fail("kwdb.container-missing", { form: here.form })
    : succeed(found.value);
}

/** Only the very one that was set aside is taken for it: its name may have been given to another since. */
export async function bringBack(
  { host, tool, rollout }: StepContext,
  _: unknown,
  here: ContainerInstallation,
): Promise<StepResult> {
  const name = ownName(here);
  if (!name.ok) return failedBy(name.failure);
  const known = await readSetAside(host, name.value, rollout);
  const old = await here.docker.container(asideName(name.value, rollout));
  if (!old.ok) return failedBy(old.failure);
  if (known === undefined) return broughtBackBefore(here, old.value);
  const renamed = await tool(here.docker.command(["rename", known.aside, name.value]));
  const back = await here.inspect();
  if (!back.ok) return failedBy(back.failure);
  const id = old.value?.Id ?? known.id ?? back.value?.Id;
  if (back.value === undefined || back.value.Id !== id)
    return failed(
      "kwdb.container-not-renamed",
      { container: known.aside, cause: lastLine(renamed.tail) },
      renamed.tail,
    );
  const policy = policyWord(known.restartPolicy);
  const updated = await tool(here.docker.command(["update", `--restart=${policy}`, back.value.Id]));
  const after = await here.inspect();
  if (!after.ok) return failedBy(after.failure, updated.tail);
  const why = whyOtherPolicy(after.value ?? back.value, policy, updated);
  if (why !== undefined) return failedBy(why, updated.tail);
  await forgetSetAside(host, known);
  return done({ container: name.value, restart: policy });
}

/** What was remembered of it goes last. */
async function broughtBackBefore(
  here: ContainerInstallation,
  aside: Inspected | undefined,
): Promise<StepResult> {
  const found = await here.inspect();
  if (!found.ok) return failedBy(found.failure);
  return found.value === undefined || aside !== undefined
    ? failed("kwdb.container-missing", { form: here.form })
    : done({ found: "brought back before" });
}

function policyOf({ HostConfig }: Inspected): string {
  return policyWord((HostConfig["RestartPolicy"] ?? {}) as SetAside["restartPolicy"]);
}

function policyWord({ Name = "", MaximumRetryCount = 0 }: SetAside["restartPolicy"]): string {
  const count = Number(MaximumRetryCount);
  return Name === "" ? "no" : `${String(Name)}${count > 0 ? `:${count}` : ""}`;
}

/** The old one as it was before it was set aside. */
export async function oldOne(
  { host, rollout }: StepContext,
  here: ContainerInstallation,
): Promise<Outcome<Inspected>> {
  const name = ownName(here);
  if (!name.ok) return name;
  const known = await readSetAside(host, name.value, rollout);
  if (known === undefined) return fail("kwdb.container-missing", { form: here.form });
  const found = await here.docker.container(known.aside);
  if (!found.ok) return found;
  if (found.value === undefined) return fail("kwdb.container-missing", { form: here.form });
  const { HostConfig } = found.value;
  return succeed({
    ...found.value,
    Name: `/${known.name}`,
    HostConfig: { ...HostConfig, RestartPolicy: known.restartPolicy },
  });
}
