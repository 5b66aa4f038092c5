/** The engines that this agent can serve: a new one adds its folder and its line here. */
import type { EngineKind } from "../verb.ts";
import { kwdbKind } from "./kwdb/index.ts";
import { postgresqlKind } from "./postgresql/index.ts";

export const engineKinds: readonly EngineKind[] = [kwdbKind, postgresqlKind];
