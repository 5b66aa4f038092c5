/** The command that looks again at what a plan was refused for, whole: with fewer options it would look at less. */
import type { Plan } from "./plan.ts";

/** Methods that follow from how a cluster is deployed: nobody has to name them. */
const deployed: ReadonlySet<string> = new Set(["script", "container", "compiled"]);

export function checkCommand({ clusters, to, artefact, strategy, method, back, mend }: Plan): string {
  const [own = "", into] = clusters;
  if (back !== undefined) return `lockkeeper plan --back ${back}`;
  if (mend !== undefined) return `lockkeeper check ${own} --fix`;
  return [
    `lockkeeper check ${own} --to ${to}`,
    ...(artefact === undefined ? [] : [`--sha256 ${artefact.digest}`]),
    ...(deployed.has(method) ? [] : [`--method ${method}`]),
    ...(deployed.has(method) && strategy === "offline" ? ["--strategy offline"] : []),
    ...(into === undefined ? [] : [`--into ${into}`]),
  ].join(" ");
}
