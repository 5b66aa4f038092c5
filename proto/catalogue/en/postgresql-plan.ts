import type { Catalogue } from "../render.ts";

/** Words of a plan of PostgreSQL: why there is none, and what it says of itself. */
export const postgresqlPlan: Catalogue = {
  "postgresql.move-strategy": {
    says: "into another cluster databases move: --strategy move, --method logical-replication or pglogical; asked for were {strategy} and {method}",
    next: "lockkeeper plan {cluster} --to {to} --into NEW",
  },
  "postgresql.move-without-target": {
    says: "the new server is missing: another cluster of the inventory than {cluster}",
    next: "lockkeeper plan {cluster} --to {to} --into NEW",
  },
  "postgresql.server-unknown": {
    says: "the server of {cluster} does not tell what it is",
    next: "lockkeeper check {cluster}, and look at its agent",
  },
  "postgresql.target-version": {
    says: "{into} runs {found}, and not {to}",
    next: "lockkeeper plan {cluster} --to {found} --into {into}",
  },
  "postgresql.databases-unknown": { says: "the server of {cluster} does not tell its databases" },
  "postgresql.no-databases": {
    says: "{cluster} has no database of its own",
    next: "settings: { databases: … } in the inventory names those that go over",
  },
  "postgresql.setting-unreadable": {
    says: 'the setting {name} of {cluster} is not understood: "{value}"',
    next: "databases, databases-at-once, fence-limit, verify-within, compare-within, copy-limit, old-data, keep-old, give-up-at-percent, cut-over-lag-bytes, carry-limit-bytes, new-standbys, new-connections, new-backup, new-backup-within, upgrade-mode",
  },
  "postgresql.back-retired": {
    says: "the old server no longer follows the new one: rollout {rollout} has retired it",
    next: "a way back is a move of its own, from the new server into a new one of the old version",
  },
  "postgresql.back-old-gone": {
    says: "rollout {rollout} never opened the new server: the old one alone has all rows, and {cluster} is no whole copy",
    next: "bring the old server back, from a backup of the whole server if need be (its identifier stays the same), then lockkeeper plan --back {rollout}; lockkeeper abort {rollout}, twice, gives the rollout up",
  },
  "warning.postgresql.rows-not-come": {
    says: "rows that the new server has taken and that had not come to the old one are lost",
  },
  "ask.postgresql.cut-over-now": {
    says: "all rows are there and the new server follows: cut over now? Writes stand still for seconds",
  },
  "ask.postgresql.remove-the-old": {
    says: "Is the old server's data of no use to anybody? It is removed.",
  },
  "ask.postgresql.let-the-old-go": {
    says: "the new server is open and the old one follows it: let the old one go? Until then every row can go back",
  },
  "downtime.postgresql.seconds": { says: "writes stand still for seconds, while the fence is up" },
  "lost.postgresql.nothing": { says: "nothing that was committed" },
  "way-back.postgresql.before": {
    says: "until the new server is opened: lockkeeper plan --back ROLLOUT removes all that was made, on both",
  },
  "way-back.postgresql.after": {
    says: "until the old one is let go: lockkeeper plan --back ROLLOUT cuts over to it, with every row that the new one has taken",
  },
  "way-back.postgresql.retired": {
    says: "after that: a move of its own, into a new server of the old version",
  },
  "way-back.postgresql.back": { says: "forward again is a move of its own" },
  "way.postgresql.again": { says: "mend the cause and go on: lockkeeper retry ROLLOUT" },
  "way.postgresql.undone": {
    says: "until open-writes has begun: lockkeeper abort ROLLOUT, and the fence comes down, the old server goes on",
  },
  "way.postgresql.opened-back": {
    says: "from then on an abort undoes nothing: lockkeeper plan --back ROLLOUT cuts over to the old server again, with every row that the new one has taken",
  },
  "way.postgresql.stays-new": {
    says: "writes stay on the new server; lockkeeper plan --back ROLLOUT cuts over to the old one, with every row that the new one has taken",
  },
  "way.postgresql.retired": {
    says: "writes stay on the new server. Once unsubscribe-back has begun nothing leads back, and it is not aborted; is one of the two servers gone for good: lockkeeper plan --back ROLLOUT, with --without",
  },
  "way.postgresql.return-undone": {
    says: "until open-writes has begun: lockkeeper abort ROLLOUT, and the fence comes down, the new server goes on",
  },
  "way.postgresql.returned": {
    says: "from then on an abort undoes nothing: lockkeeper retry ROLLOUT goes on, to the old server",
  },
  "way.postgresql.back": { says: "lockkeeper plan --back ROLLOUT: all that was made goes from both servers" },
  "warning.postgresql.ddl": {
    says: "change no schema on the old server from now to the cut-over: a new table or column stops the copy",
  },
  "warning.postgresql.ddl-mended": {
    says: "change as little of the schema on the old server as you can from now to the cut-over: a new table or plain column is made on the new one too, anything else stops the move",
  },
  "warning.postgresql.superusers": {
    says: "the fence does not hold superusers that ask for writes (SET default_transaction_read_only = off): let none do so. Rows that they write are found before the old server's slots go, and stop the rollout",
  },
  "warning.postgresql.superusers-unseen": {
    says: "the fence does not hold superusers that ask for writes (SET default_transaction_read_only = off): let none do so. Through pglogical nobody looks for rows that they write after the old server was counted",
  },
  "warning.postgresql.pause": { says: "sessions are ended at the cut-over: applications must connect anew" },
  "warning.postgresql.new-stays": {
    says: "the new server stays closed and whole; nothing of it is dropped, it is yours to remove",
  },
};
