/** Waiting for what, since when, who can change it, the command. */
import { render } from "#proto/catalogue/render.ts";
import type { FailureCode } from "#proto/common/failure.ts";
import type { WhyView } from "../../domain/views.ts";
import { gateWords } from "./gate.ts";
import { named } from "./named.ts";
import { otherwiseLines, stopLines } from "./stop.ts";
import type { Paint } from "./style.ts";

export function renderWhy(why: WhyView, paint: Paint): string {
  if (why.answers.length === 0) return `${why.subject}: nothing waits and nothing has stopped.`;
  const texts = why.answers.map(({ waitingFor, since, who, command, because, gate, stop }) => {
    const { says, next: own } = render(waitingFor);
    const cause = because === undefined ? undefined : render(because);
    const next = own ?? cause?.next;
    const whoCan = render({ code: who as FailureCode, facts: waitingFor.facts }).says;
    return [
      `${paint("strong", why.subject)}: ${says}`,
      ...(since === undefined ? [] : [`  since:   ${since}`]),
      ...(gate === undefined ? [] : [`  gate:    ${gateWords(gate)}`]),
      ...(cause === undefined ? [] : [`  because: ${cause.says}`]),
      `  who:     ${whoCan}`,
      ...(stop === undefined
        ? []
        : stopLines({ why: waitingFor, ...stop, ...(command === undefined ? {} : { command }) })),
      ...(command !== undefined || next !== undefined ? [`  command: ${command ?? next}`] : []),
      ...(stop === undefined ? [] : otherwiseLines(stop)),
    ].join("\n");
  });
  return named(texts.join("\n"), why.subject);
}
