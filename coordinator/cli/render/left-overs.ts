/** Left-overs of moves: a table of what was found, and a line for each cluster that has none or was not seen. */
import { render } from "#proto/catalogue/render.ts";
import { failure } from "#proto/common/failure.ts";
import type { LeftOversView } from "../../domain/left-overs.ts";
import type { Paint } from "./style.ts";
import { renderTable } from "./table.ts";

export function renderLeftOvers(views: readonly LeftOversView[], paint: Paint): string {
  const rows = views.flatMap(({ cluster, found }) =>
    found.map((each) => [
      cluster,
      each.node,
      wordsOf(each.found),
      each.rollout ?? "not known",
      standingOf(each),
    ]),
  );
  const lines = views.flatMap(({ cluster, engine, isApplicable, found, unknown }) => {
    if (!isApplicable) return [`${cluster}: not applicable: moves of ${engine} leave nothing of the kind`];
    const unseen = unknown.flatMap(({ node, why }) => {
      const { says, next } = render(why);
      const first = next === undefined ? [] : [`  next: ${next}`];
      return [paint("bad", `${cluster}: ${node}: ${says}`), ...first];
    });
    return unseen.length === 0 && found.length === 0 ? [`${cluster}: nothing`] : unseen;
  });
  const table =
    rows.length === 0 ? [] : [renderTable(["CLUSTER", "NODE", "FOUND", "ROLLOUT", "STANDING"], rows)];
  return [...table, ...lines].join("\n") || "nothing";
}

const priorValue = "prior value ";

/** An agent names the file of a note; what such a note is for nobody can know from its name. */
function wordsOf(found: string): string {
  if (!found.startsWith(priorValue)) return found;
  return render(failure("left-over.prior-value", { path: found.slice(priorValue.length) })).says;
}

function standingOf({ rollout, isOpen }: LeftOversView["found"][number]): string {
  if (rollout === undefined) return "-";
  return isOpen ? "open: it is needed" : "not open";
}
