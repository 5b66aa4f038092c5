/**
 * Verbs that put a new container in an old one's place, where the operator has made it: by `docker run` (the old one is
 * renamed, the new one created like it) or by a compose file (its image line changes). The old one is not removed by them.
 */
import type { z } from "zod";
import type { Verb } from "../../verb.ts";
import { imageArgs, nothing } from "./args.ts";
import {
  changeImageLine,
  hasImageLine,
  isRestored,
  isUp,
  restoreImageLine,
  up,
} from "./compose-image-line.ts";
import { bringBack, isBroughtBack, isSetAside, setAside } from "./container-aside.ts";
import { change, type Deed, not } from "./container-change.ts";
import { createArgs, createContainer, isCreated, isMade, removeContainer } from "./container-create.ts";
import type { Means } from "./installation.ts";

export function containerVerbs(means: Means): readonly Verb[] {
  const changes = <Args>(name: string, args: z.ZodType<Args>, deed: Deed<Args>) =>
    change(means, name, args, deed);
  return [
    changes("set-aside", nothing, { run: setAside, probe: isSetAside }),
    changes("bring-back", nothing, { run: bringBack, probe: isBroughtBack }),
    changes("create-container", createArgs, { run: createContainer, probe: isCreated }),
    changes("remove-container", imageArgs, {
      run: removeContainer,
      probe: async (...of) => not(await isMade(...of)),
    }),
    changes("change-image-line", imageArgs, { run: changeImageLine, probe: hasImageLine }),
    changes("restore-image-line", nothing, { run: restoreImageLine, probe: isRestored }),
    changes("up-container", imageArgs, { run: (...of) => up(means, ...of), probe: isUp }),
  ];
}
