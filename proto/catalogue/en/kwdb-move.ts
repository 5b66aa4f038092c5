import type { Catalogue } from "../render.ts";

/** Words of the move of a cluster's data into a new one. */
export const kwdbMove: Catalogue = {
  "kwdb.move-without-target": {
    says: "export-import needs the new cluster, another one than {cluster}",
    next: "lockkeeper plan {cluster} --to {to} --method export-import --into NEW",
  },
  "kwdb.move-strategy": {
    says: "into another cluster there is one way: --strategy move --method export-import; asked for were {strategy} and {method}",
    next: "lockkeeper plan {cluster} --to {to} --method export-import --into NEW",
  },
  "kwdb.databases-unknown": {
    says: "the first node of {cluster} does not tell its databases",
    next: "lockkeeper check {cluster} --to {to} --method export-import --into NEW",
  },
  "kwdb.databases-differ": {
    says: "since the plan was made, these databases came or went: {databases}",
    next: "lockkeeper plan anew",
  },
  "kwdb.default-database-used": {
    says: "{databases} holds tables; every cluster has that database already, so it cannot be imported as one",
    next: "ALTER TABLE … RENAME TO a database of your own, or EXPORT and IMPORT these tables by hand",
  },
  "kwdb.target-not-empty": {
    says: "the new cluster is not empty: {databases}",
    next: "take a cluster that is, or drop there what nobody needs; nothing that is not ours is dropped",
  },
  "kwdb.move-no-room": {
    says: "there is no room in {place}: {wanted} bytes wanted, {free} free",
    next: "make room, then lockkeeper retry ROLLOUT; texts are counted as twice of what the data folder holds, which is a guess",
  },
  "kwdb.move-job-runs": {
    says: "a job of {type} still runs ({jobs}): begun by a client that is gone, maybe",
    next: "SHOW JOBS; wait until it has ended or CANCEL JOB it, then lockkeeper retry ROLLOUT",
  },
  "kwdb.move-not-removed": { says: "what an earlier try left in {folder} could not be removed: {cause}" },
  "kwdb.fence-not-standing": {
    says: "default_transaction_read_only.enabled is {value} on {from}, not {wanted}: writes may go on",
    next: "find out who has changed it; the rows are compared in any case",
  },
  "kwdb.export-failed": {
    says: "the export of {what} failed: {cause}",
    next: "mend the cause, then lockkeeper retry ROLLOUT: what was written by halves is removed and made again",
  },
  "kwdb.export-incomplete": { says: "the export of {what} holds no {missing} ({folder})" },
  "kwdb.export-not-made": { says: "there is no whole export of {what} on this node" },
  "kwdb.export-changed": { says: "a file of the export of {what} has changed since it was made: {file}" },
  "kwdb.export-not-carried": {
    says: "the coordinator has no export of {what} for this rollout",
    next: "another coordinator may have taken over, and they share no folder (artefacts:); lockkeeper abort ROLLOUT, then a new plan",
  },
  "kwdb.database-exists": {
    says: "the new cluster has a database {database} that this rollout has not made: it is neither dropped nor written to",
    next: "rename or drop it yourself, then lockkeeper retry ROLLOUT",
  },
  "kwdb.import-failed": {
    says: "the import of {database} failed: {cause}",
    next: "mend the cause, then lockkeeper retry ROLLOUT: what this rollout has imported of it is dropped and made again",
  },
  "kwdb.import-mute": {
    says: "the import of {database} ended well and did not say what it has imported",
    next: "look into SHOW JOBS, then lockkeeper retry ROLLOUT",
  },
  "kwdb.rows-rejected": {
    says: "rows of {database} were rejected ({rejected}) or left out as doubles ({abandoned}); {file}: {first}",
    next: "mend these rows on the old cluster, or the table; then lockkeeper retry ROLLOUT",
  },
  "kwdb.not-dropped": { says: "{database}, which this rollout has made, could not be dropped: {cause}" },
  "kwdb.accounts-not-imported": { says: "the {what} could not be imported: {cause}" },
  "kwdb.accounts-missing": { says: "after the import of {what} these are not there: {missing}" },
  "kwdb.counts-missing": { says: "the old cluster's counts ({when}) did not come to this node" },
  "kwdb.rows-differ": {
    says: "{table}, {of}: the old cluster has {before} (before) and {after} (after), the new one {here}",
    next: "the old cluster is whole; look for the cause, then lockkeeper retry ROLLOUT, or drop what was imported: lockkeeper abort ROLLOUT",
  },
  "kwdb.rows-came-after": {
    says: "{table}, {of}: {before} before the export and {after} after it: somebody wrote in spite of the fence",
    next: "find the writer; lockkeeper abort ROLLOUT, then a new plan",
  },
  "check.kwdb.move-target": { says: "the data goes into another cluster that is known" },
  "check.kwdb.move-target.ok": { says: "into {into}" },
  "check.kwdb.move-target.ko": {
    says: 'it is not known into which cluster ("{into}" is not in the inventory)',
    next: "add --into CLUSTER, where CLUSTER stands in the inventory",
  },
  "check.kwdb.move-version": { says: "the new cluster runs the version that is wanted" },
  "check.kwdb.move-version.ko": {
    says: "it runs {found}, wanted is {to}",
    next: "--to {found}, or install {to} there",
  },
  "check.kwdb.move-version.unknown": { says: "the versions could not all be read: {from}, {found}" },
  "check.kwdb.move-older": { says: "the new cluster is of an older version" },
  "check.kwdb.move-older.unknown": {
    says: "{from} to {to}: whether the older one understands what the newer one exports was tried by nobody here",
    next: "try it with the definitions alone; then --ack kwdb.move-older --reason …",
  },
  "check.kwdb.move-databases": { says: "the databases of the old cluster are known" },
  "check.kwdb.move-databases.ok": { says: "{databases}" },
  "check.kwdb.move-databases.unknown": { says: "SHOW DATABASES could not be asked" },
  "check.kwdb.move-empty": { says: "the new cluster is empty" },
  "check.kwdb.move-empty.ko": {
    says: "{into} has databases: {databases}",
    next: "take a cluster that is empty, or drop there what nobody needs",
  },
  "check.kwdb.move-empty.unknown": { says: "SHOW DATABASES could not be asked there" },
  "check.kwdb.move-late-rows": { says: "rows that come after the export may be lost" },
  "check.kwdb.move-late-rows.unknown": {
    says: "{cluster} is not fenced (writes-while-moving: counted): what is written after each database's export is not carried, only counted",
    next: "--ack kwdb.move-late-rows --reason …, or leave the setting out to have writes refused",
  },
  "warning.kwdb.move-read-only": {
    says: "the old cluster is read-only from the export on: data, definitions, users and settings",
  },
  "warning.kwdb.move-late-rows": {
    says: "the old cluster goes on being written to: what comes after the export is counted and not carried",
  },
  "warning.kwdb.move-switch": {
    says: "applications go on using the old cluster until you point them at the new one",
  },
  "warning.kwdb.move-passwords": {
    says: "passwords, views, comments, jobs and zones are in no export: set them on the new cluster by hand",
  },
  "warning.kwdb.move-high-availability": {
    says: "how many copies the new cluster keeps and where is its own matter: look at what is told of zones and leaseholders at the end before it is relied on",
  },
  "way-back.kwdb.move-before-switch": {
    says: "until applications write to the new cluster: the old one is whole; lockkeeper abort ROLLOUT, or SET CLUSTER SETTING default_transaction_read_only.enabled = false",
  },
  "way-back.kwdb.move-after-switch": {
    says: "after that: what was written to the new cluster is lost, or moved back by hand",
  },
  "way.kwdb.move-again": {
    says: "mend the cause and go on where it stopped: lockkeeper retry ROLLOUT; whole exports and imports are not made again",
  },
  "way.kwdb.move-undone": {
    says: "lockkeeper abort ROLLOUT: what this rollout has imported and written is dropped, and the fence taken down",
  },
  "downtime.kwdb.move-read-only": {
    says: "no reads; writes are refused from the export until applications are pointed at the new cluster",
  },
  "downtime.kwdb.move-none": { says: "none until applications are pointed at the new cluster" },
  "lost.kwdb.move-nothing": {
    says: "nothing that was written; passwords, comments, views and zones are set by hand",
  },
  "lost.kwdb.move-late-rows": {
    says: "what is written after each database's export; passwords, comments, views and zones are set by hand",
  },
};
