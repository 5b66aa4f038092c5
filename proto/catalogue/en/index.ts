import type { Catalogue } from "../render.ts";
import { agent } from "./agent.ts";
import { cli } from "./cli.ts";
import { common } from "./common.ts";
import { init } from "./init.ts";
import { kwdb } from "./kwdb.ts";
import { kwdbAgent } from "./kwdb-agent.ts";
import { kwdbBack } from "./kwdb-back.ts";
import { kwdbChecks } from "./kwdb-checks.ts";
import { kwdbCompiled } from "./kwdb-compiled.ts";
import { kwdbContainer } from "./kwdb-container.ts";
import { kwdbHalfWay } from "./kwdb-half-way.ts";
import { kwdbMend } from "./kwdb-mend.ts";
import { kwdbMove } from "./kwdb-move.ts";
import { kwdbUndo } from "./kwdb-undo.ts";
import { lock } from "./lock.ts";
import { postgresql } from "./postgresql.ts";
import { postgresqlChecks } from "./postgresql-checks.ts";
import { postgresqlGates } from "./postgresql-gates.ts";
import { postgresqlInPlace } from "./postgresql-in-place.ts";
import { postgresqlInPlaceChecks } from "./postgresql-in-place-checks.ts";
import { postgresqlMade } from "./postgresql-made.ts";
import { postgresqlNewServer } from "./postgresql-new-server.ts";
import { postgresqlPackages } from "./postgresql-packages.ts";
import { postgresqlPairChecks } from "./postgresql-pair-checks.ts";
import { postgresqlPatroni } from "./postgresql-patroni.ts";
import { postgresqlPglogical } from "./postgresql-pglogical.ts";
import { postgresqlPlan } from "./postgresql-plan.ts";
import { postgresqlRestart } from "./postgresql-restart.ts";
import { postgresqlRoomChecks } from "./postgresql-room-checks.ts";
import { postgresqlSideChecks } from "./postgresql-side-checks.ts";
import { rollout } from "./rollout.ts";
import { store } from "./store.ts";

/** English. One file per area; a code stands in exactly one of them. */
export const en: Catalogue = {
  ...common,
  ...cli,
  ...init,
  ...store,
  ...lock,
  ...rollout,
  ...agent,
  ...kwdb,
  ...kwdbChecks,
  ...kwdbAgent,
  ...kwdbCompiled,
  ...kwdbContainer,
  ...kwdbBack,
  ...kwdbMend,
  ...kwdbHalfWay,
  ...kwdbMove,
  ...kwdbUndo,
  ...postgresql,
  ...postgresqlPlan,
  ...postgresqlGates,
  ...postgresqlChecks,
  ...postgresqlSideChecks,
  ...postgresqlPairChecks,
  ...postgresqlRoomChecks,
  ...postgresqlInPlace,
  ...postgresqlInPlaceChecks,
  ...postgresqlNewServer,
  ...postgresqlMade,
  ...postgresqlPackages,
  ...postgresqlPatroni,
  ...postgresqlPglogical,
  ...postgresqlRestart,
};
