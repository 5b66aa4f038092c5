/** PostgreSQL at the agent: its verbs and its facts. */
import { succeed } from "#proto/common/failure.ts";
import { type AgentEngine, engineKind } from "../../verb.ts";
import { type BackupProof, backupProof } from "./backup-proof.ts";
import { behindFenceVerbs } from "./behind-fence.ts";
import { comparingVerbs } from "./comparing.ts";
import { drainVerbs } from "./draining.ts";
import { exportVerbs } from "./exporting.ts";
import { postgresqlFacts } from "./facts.ts";
import { fenceVerbs } from "./fence.ts";
import { fenceOpeningVerbs } from "./fence-openings.ts";
import { forgettingVerbs } from "./forgetting.ts";
import { hookVerbs } from "./hooks.ts";
import { identityVerbs } from "./identities.ts";
import { inPlaceVerbs } from "./in-place/index.ts";
import { roleVerbs } from "./loading-roles.ts";
import { schemaVerbs } from "./loading-schema.ts";
import { lookingVerbs } from "./looking.ts";
import { madeVerbs } from "./made/index.ts";
import { measuringVerbs } from "./measuring.ts";
import { applyingVerbs } from "./mending/applying.ts";
import { mendingVerbs } from "./mending/mending.ts";
import { notedVerbs } from "./mending/noted.ts";
import { settlingVerbs } from "./mending/settling.ts";
import { tellingVerbs } from "./mending/telling.ts";
import { oldServerVerbs } from "./old-server.ts";
import { packageVerbs } from "./packages/index.ts";
import { keepingVerbs } from "./patroni/keeping.ts";
import { pausingVerbs } from "./patroni/pausing.ts";
import { provingVerbs } from "./patroni/proving.ts";
import { peerVerbs } from "./peers.ts";
import { pglogicalVerbs } from "./pglogical/index.ts";
import { publishingVerbs } from "./publishing.ts";
import { reachingVerbs } from "./reaching.ts";
import { restartingVerbs } from "./restarting/verbs.ts";
import { driftVerbs } from "./schema-drift.ts";
import { sequenceVerbs } from "./sequences.ts";
import { type PostgresqlSettings, postgresqlSettings } from "./settings.ts";
import { withSql } from "./sql.ts";
import { subscribingVerbs } from "./subscribing.ts";
import { triggerVerbs } from "./triggers.ts";
import { unreplicatedVerbs } from "./unreplicated/index.ts";
import { upkeepVerbs } from "./upkeep.ts";
import { verifyingVerbs } from "./verifying.ts";
import { type WalPace, walPace } from "./wal-room.ts";
import { watchingVerbs } from "./watching.ts";

const foldersMs = 2_000;

export const postgresqlKind = engineKind<PostgresqlSettings>({
  engine: "postgresql",
  settings: postgresqlSettings,
  create: (settings): AgentEngine => {
    const means = { settings };
    let pace: WalPace | undefined;
    let proof: BackupProof | undefined;
    return {
      engine: "postgresql",
      verbs: [
        ...lookingVerbs(means),
        ...identityVerbs(means),
        ...exportVerbs(means),
        ...roleVerbs(means),
        ...schemaVerbs(means),
        ...triggerVerbs(means),
        ...peerVerbs(means),
        ...reachingVerbs(means),
        ...publishingVerbs(means),
        ...subscribingVerbs(means),
        ...pglogicalVerbs(means),
        ...upkeepVerbs(means),
        ...watchingVerbs(means),
        ...fenceVerbs(means),
        ...fenceOpeningVerbs(means),
        ...drainVerbs(means),
        ...behindFenceVerbs(means),
        ...driftVerbs(means),
        ...tellingVerbs(means),
        ...mendingVerbs(means),
        ...notedVerbs(means),
        ...settlingVerbs(means),
        ...applyingVerbs(means),
        ...measuringVerbs(means),
        ...sequenceVerbs(means),
        ...comparingVerbs(means),
        ...unreplicatedVerbs(means),
        ...verifyingVerbs(means),
        ...hookVerbs(means),
        ...oldServerVerbs(means),
        ...keepingVerbs(means),
        ...pausingVerbs(means),
        ...provingVerbs(means),
        ...restartingVerbs(means),
        ...forgettingVerbs(),
        ...inPlaceVerbs(means),
        ...madeVerbs(means),
        ...packageVerbs(means),
      ],
      folders: async (host) => {
        const folder = await withSql(host, means, { signal: AbortSignal.timeout(foldersMs) }, async (sql) =>
          succeed((await sql.rows("SHOW data_directory"))[0]?.["data_directory"] ?? ""),
        );
        return folder.ok && folder.value !== "" ? [folder.value] : [];
      },
      facts: (host, depth, signal) => {
        pace ??= walPace(host.clock);
        proof ??= backupProof(host, means);
        return postgresqlFacts(host, means, { depth, signal, pace, proof });
      },
    };
  },
});
