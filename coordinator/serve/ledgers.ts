/** The parts that know what is recorded: inventory, claims, audit log, locks, packages, what the agents last said. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { fail, succeed } from "#proto/common/failure.ts";
import { complaintsText } from "#proto/common/settings-file.ts";
import { ArtefactFolder } from "../api/artefacts.ts";
import { AgentReports } from "../engine/agents/agent-reports.ts";
import { AuditTrail } from "../engine/audit-trail.ts";
import { Claims } from "../engine/lock/claims.ts";
import { LockDeeds } from "../engine/lock/lock-deeds.ts";
import { Standings } from "../engine/lock/standings.ts";
import { InventoryBook } from "../engine/orders/inventory-book.ts";
import { inventoryChanges } from "../inventory/change.ts";
import { parseInventory } from "../inventory/parse.ts";
import type { ServeMeans } from "./means.ts";
import type { Records } from "./records.ts";

export type Ledgers = ReturnType<typeof openLedgers>;

const inventoryReader = {
  read: (yaml: string, fileName: string) => {
    const parsed = parseInventory(yaml, fileName);
    return parsed.ok
      ? succeed(parsed.value)
      : fail<never>("inventory.unreadable", { complaints: complaintsText(parsed.complaints) });
  },
  changes: inventoryChanges,
};

export const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

export function openLedgers({ config, clock, random }: ServeMeans, records: Records, coordinator: string) {
  const inventory = new InventoryBook(records.inventories, inventoryReader, { clock, random });
  const members = (cluster: string) => inventory.cluster(cluster)?.nodes.map(({ name }) => name) ?? [];
  const reports = new AgentReports();
  const { locks } = records;
  const standings = new Standings({ register: records.standings, clock, random });
  const claims = new Claims({ register: records.claims, clock, random });
  return {
    inventory,
    members,
    reports,
    deeds: new LockDeeds({ locks, standings, claims, reports, clock, random, coordinator, members }),
    claims,
    standings,
    audit: new AuditTrail(records.audit, sha256, clock),
    artefacts: new ArtefactFolder({
      folder: config.artefacts ?? join(config.stateDir, "artefacts"),
      clock,
      bytesPerSecond: config.artefactBytesPerSecond,
    }),
  };
}
