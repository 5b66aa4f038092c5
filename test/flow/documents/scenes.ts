/** Scenes of docs/postgresql.md, which postgresql.test.ts plays. */
export const postgresqlScenes = ["move", "moved", "left"] as const;

/** Those that need a host with systemd and two versions: test/lab/postgresql/in-place.test.ts plays them. */
export const inPlaceScenes = ["place", "placed"] as const;

/** The same for a new host of its own: test/lab/postgresql/made.test.ts. */
export const madeScenes = ["made", "unmade"] as const;

/** With a server that is gone for good: test/flow/processes/postgres-gone.test.ts. */
export const goneScenes = ["lost"] as const;
