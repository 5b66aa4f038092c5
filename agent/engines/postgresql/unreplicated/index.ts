/** Large objects and rows of unlogged tables: weighed, written out behind the fence, loaded on the other side, compared. */
import type { Verb } from "../../../verb.ts";
import type { Means } from "../settings.ts";
import { comparingVerbs } from "./comparing.ts";
import { loadingVerbs } from "./loading.ts";
import { weighingVerbs } from "./weighing.ts";
import { writingOutVerbs } from "./writing-out.ts";

export function unreplicatedVerbs(means: Means): readonly Verb[] {
  return [
    ...weighingVerbs(means),
    ...writingOutVerbs(means),
    ...loadingVerbs(means),
    ...comparingVerbs(means),
  ];
}
