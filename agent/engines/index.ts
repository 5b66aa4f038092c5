/** The engines that this agent can serve: a new one adds its folder and its line here. */
import type { EngineKind } from "../verb.ts";

export const engineKinds: readonly EngineKind[] = [];
