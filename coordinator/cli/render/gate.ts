/** A gate in words: what is measured, how often, for how long it must be green, and after what it refuses. */
import { render } from "#proto/catalogue/render.ts";
import { renderDuration } from "#proto/common/duration.ts";
import type { GateView } from "../../domain/views.ts";
import { forReaders } from "./deed.ts";

export function gateWords({ what, everyMs, dwellMs, limitMs }: Omit<GateView, "stage">): string {
  const { says } = render({ code: what.code, facts: forReaders(what.facts) });
  const green = dwellMs === 0 ? "green once" : `green for ${renderDuration(dwellMs)}`;
  return `${says}: every ${renderDuration(everyMs)}, ${green}, at most ${renderDuration(limitMs)}`;
}
