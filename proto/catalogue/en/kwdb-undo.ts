import type { Catalogue } from "../render.ts";

/** Words of what a plan of KWDB would undo. */
export const kwdbUndo: Catalogue = {
  "undo.kwdb.start": { says: "the database is started" },
  "undo.kwdb.stop": { says: "the database is stopped" },
  "undo.kwdb.restart": { says: "the database is started anew" },
  "undo.kwdb.clear-upgrade-flag": { says: "--upgrade-complete is taken out again" },
  "undo.kwdb.restore-image-line": { says: "the image's line of the compose file as it was" },
  "undo.kwdb.bring-back": { says: "the container that was set aside comes back" },
  "undo.kwdb.remove-container": { says: "the new container is removed" },
  "undo.kwdb.exchange-build-back": { says: "the build of before comes back" },
  "undo.kwdb.put-build-aside": { says: "the build that was put back goes aside again" },
  "undo.kwdb.restore-start": { says: "the start as it was" },
  "undo.kwdb.put-back-store-dead": { says: "server.time_until_store_dead as it was" },
  "undo.kwdb.unfence-writes": { says: "writes are allowed again" },
  "undo.kwdb.drop-files": { says: "the files that were made are removed" },
  "undo.kwdb.drop-imported": { says: "what was imported into {database} is dropped" },
};
