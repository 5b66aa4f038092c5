import type { Playbook } from "../domain/playbook.ts";
import { kwdb } from "./kwdb.ts";
import { postgresql } from "./postgresql.ts";

/** The playbooks by engine: a new engine adds its file and its line here. */
export const playbooks: Readonly<Record<string, Playbook>> = { kwdb, postgresql };
