/**
 * Everything that must be right before a server is upgraded in place. What only `pg_upgrade --check` can know is asked by the plan's
 * first stage, before anything of the old server is touched.
 */
import type { CheckResult } from "../../../domain/check.ts";
import type { PlaybookInput } from "../../../domain/playbook.ts";
import { result } from "../result.ts";
import { settingsOf } from "../settings.ts";
import { onePrimary, reached } from "../side-checks.ts";
import { sourceSide } from "../sides.ts";
import { hangingChecks } from "./hanging-checks.ts";
import { placeChecks, placeOf } from "./place-checks.ts";
import { serverChecks } from "./server-checks.ts";

export function checkInPlace(input: PlaybookInput): readonly CheckResult[] {
  const settings = settingsOf(input.cluster);
  if (!settings.ok)
    return [{ ...result({ id: "settings" }, "ko", settings.failure.facts), reason: settings.failure }];
  const side = sourceSide(input);
  const { nodes, name: cluster } = input.cluster;
  const found = String(nodes.length);
  return [
    ...reached(input),
    onePrimary("source", input),
    result({ id: "in-place-nodes" }, nodes.length === 1 ? "ok" : "ko", { cluster, found }),
    ...(side === undefined ? [] : checkServer(input, { side, settings: settings.value })),
  ];
}

function checkServer(
  { wish }: PlaybookInput,
  given: Pick<Parameters<(typeof serverChecks)[number]>[0], "side" | "settings">,
): readonly CheckResult[] {
  const asked = { ...given, to: wish.to };
  return [
    ...serverChecks.map((check) => check(asked)),
    ...hangingChecks.map((check) => check(asked)),
    placeOf(asked),
    ...placeChecks(asked),
  ];
}
