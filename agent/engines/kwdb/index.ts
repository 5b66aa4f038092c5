/** KWDB at the agent: its verbs and its facts. */
import { type AgentEngine, engineKind } from "../../verb.ts";
import { kwdbFacts } from "./facts.ts";
import { readText } from "./files.ts";
import { lookingVerbs } from "./looking.ts";
import { parseMode } from "./mode.ts";
import { packageVerbs } from "./package.ts";
import { paths } from "./paths.ts";
import { savingVerbs } from "./saving.ts";
import { serviceVerbs } from "./service.ts";
import { type KwdbSettings, kwdbSettings } from "./settings.ts";
import { stagingVerbs } from "./staging.ts";

export const kwdbKind = engineKind<KwdbSettings>({
  engine: "kwdb",
  settings: kwdbSettings,
  create: (settings): AgentEngine => ({
    engine: "kwdb",
    verbs: [
      ...stagingVerbs,
      ...lookingVerbs(settings),
      ...savingVerbs(settings),
      ...serviceVerbs(settings),
      ...packageVerbs(settings),
    ],
    folders: async (host) => {
      const text = await readText(host, paths.mode);
      const mode = text.ok ? parseMode(text.value) : text;
      return ["/usr/local", ...(mode.ok ? [mode.value.dataRoot] : [])];
    },
    facts: (host, depth) => kwdbFacts(host, settings, depth),
  }),
});
