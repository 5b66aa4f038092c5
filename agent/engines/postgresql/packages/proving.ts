/** Whether the packages have brought what the move counts on: before anything else is made. */
import { z } from "zod";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { jsonArg } from "../../json-arg.ts";
import { ask, must, resultOf, stop } from "../desk.ts";
import { broughtBy } from "../made/facts.ts";
import type { Means } from "../settings.ts";
import { toolsMajor } from "../tools-version.ts";

const names = jsonArg("a JSON list of names", z.array(z.string().max(200)));
const major = z.string().regex(/^\d{1,3}$/);

const args = z.strictObject({
  /** Of the new server's programs: what the old server has and the new one lacked. */
  extensions: names,
  libraries: names,
  /** The client programs must be of this version at least; absent: they are not asked. */
  tools: major.optional(),
});

export function provingVerb(means: Means): Verb {
  return verb({
    name: "postgresql.prove-brought",
    class: "observe",
    args,
    run: (context, given) => resultOf(() => prove(context, means, given)),
  });
}

async function prove(
  context: StepContext,
  means: Means,
  { extensions, libraries, tools }: z.infer<typeof args>,
): Promise<StepResult> {
  const there = await thereOn(context, means);
  const missing = [
    ...extensions.filter((name) => !there.extensions.includes(name)).map((name) => `extension ${name}`),
    ...libraries.filter((name) => !there.libraries.includes(name)).map((name) => `library ${name}`),
  ];
  const found = tools === undefined ? undefined : must(await toolsMajor(context.host, means));
  if (found !== undefined && found < Number(tools))
    missing.push(`client programs of ${tools}, they are of ${found}`);
  if (missing.length > 0) stop("postgresql.packages-without", { found: missing.join(", ") });
  return done({ found: [...extensions, ...libraries].join(", ") || "all" });
}

/** Of the programs where a server is to be made of them, else by the server's own word. */
async function thereOn(context: StepContext, means: Means) {
  const { host } = context;
  const { made } = means.settings;
  if (made === undefined) {
    const rows = await ask(context, means, (sql) => sql.rows("SELECT name FROM pg_available_extensions"));
    return { extensions: rows.map(({ name }) => name ?? ""), libraries: [] };
  }
  return broughtBy(host, made.bin);
}
