/** What a verb of the unit suites is run with: its tools are answered by a function, and nothing is fetched. */
import type { Host, StepContext, ToolRequest, ToolRun } from "#agent/verb.ts";
import { failure } from "#proto/common/failure.ts";

const nothing = () =>
  Promise.resolve({ ok: false, failure: failure("look.failed", { what: "no coordinator here" }) } as const);

export function stepContext(
  host: Host,
  {
    tool = () => ({}),
    ...more
  }: { readonly tool?: (request: ToolRequest) => Partial<ToolRun> } & Partial<Omit<StepContext, "tool">> = {},
): StepContext {
  return {
    host,
    signal: new AbortController().signal,
    deadlineMs: 60_000,
    tool: (request) =>
      Promise.resolve({ exitCode: 0, result: "exited", tail: "", runner: "unit", ...tool(request) }),
    progress: () => undefined,
    rollout: "r1",
    stage: "node",
    attempt: 1,
    begunBefore: "nothing",
    earlier: {},
    fetchArtefact: nothing,
    parcels: { folder: host.path("/parcels"), send: nothing, find: nothing, fetch: nothing },
    ...more,
  };
}
