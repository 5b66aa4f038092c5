/** The ways that are open, one under the other: what each costs and where it leads back. */
import { render } from "#proto/catalogue/render.ts";
import type { OpenWay } from "../../domain/way.ts";
import type { Paint } from "./style.ts";

export function renderWays(ways: readonly OpenWay[], paint: Paint): string {
  if (ways.length === 0) return "No way is open.";
  return [
    "Ways that are open:",
    ...ways.flatMap(({ strategy, method, isDefault, downtime, lost, wayBack }) => [
      paint(
        "strong",
        `  --strategy ${strategy} --method ${method}${isDefault ? "   (taken when none is named)" : ""}`,
      ),
      `    downtime: ${render(downtime).says}`,
      `    lost:     ${render(lost).says}`,
      `    way back: ${render(wayBack).says}`,
    ]),
    "",
  ].join("\n");
}
