/** KWDB at the agent: its verbs and its facts. */
import { dirname } from "node:path";
import { type AgentEngine, engineKind } from "../../verb.ts";
import { archiveVerbs } from "./archive.ts";
import { ArchiveRate } from "./archive-rate.ts";
import { archiveRetentionVerb } from "./archive-retention.ts";
import { buildBackVerbs } from "./build-back.ts";
import { buildExchangeVerbs } from "./build-exchange.ts";
import { buildKeepingVerb } from "./build-keeping.ts";
import { buildStagingVerbs } from "./build-staging.ts";
import { buildStartVerb } from "./build-start.ts";
import { containerVerbs } from "./container-verbs.ts";
import { kwdbFacts } from "./facts.ts";
import { imageVerbs } from "./image-verbs.ts";
import { installationOn } from "./installed.ts";
import { reportJobs } from "./keeping-jobs.ts";
import { lookingVerbs } from "./looking.ts";
import { mendingVerbs } from "./mending.ts";
import { movingVerbs } from "./moving/index.ts";
import { oldImageVerbs } from "./old-image.ts";
import { oldPackageVerb } from "./old-package.ts";
import { packageVerbs } from "./package.ts";
import { ProgramCache } from "./program-cache.ts";
import { provingConfigurationVerb } from "./proving-configuration.ts";
import { restoringConfigurationVerbs } from "./restoring-configuration.ts";
import { restoringDataVerbs } from "./restoring-data.ts";
import { savingVerbs } from "./saving.ts";
import { serviceVerbs } from "./service.ts";
import { type KwdbSettings, kwdbSettings } from "./settings.ts";
import { stagingVerbs } from "./staging.ts";
import { storeDeadVerbs } from "./store-dead.ts";

export const kwdbKind = engineKind<KwdbSettings>({
  engine: "kwdb",
  settings: kwdbSettings,
  create: (settings): AgentEngine => {
    const means = { settings, programs: new ProgramCache(), images: new Map(), rate: new ArchiveRate() };
    return {
      engine: "kwdb",
      verbs: [
        ...stagingVerbs(means),
        ...lookingVerbs(means),
        reportJobs(means),
        ...savingVerbs(means),
        provingConfigurationVerb(means),
        ...archiveVerbs(means),
        archiveRetentionVerb(means),
        ...serviceVerbs(means),
        ...packageVerbs(means),
        ...movingVerbs(means),
        ...storeDeadVerbs(means),
        ...buildStagingVerbs(means),
        ...buildExchangeVerbs(means),
        buildKeepingVerb(means),
        ...buildBackVerbs(means),
        ...imageVerbs(means),
        ...containerVerbs(means),
        oldPackageVerb(means),
        ...oldImageVerbs(means),
        ...restoringConfigurationVerbs(means),
        ...restoringDataVerbs(means),
        buildStartVerb(means),
        ...mendingVerbs(means),
      ],
      folders: async (host) => {
        const mode = await (await installationOn(host, means)).mode();
        const programs = settings.program === undefined ? "/usr/local" : dirname(settings.program.folder);
        return [programs, ...(mode.ok ? [mode.value.dataRoot] : [])];
      },
      facts: (host, depth, signal) => kwdbFacts(host, means, { depth, signal }),
    };
  },
});
