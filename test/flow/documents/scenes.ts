/** Scenes of docs/postgresql.md, which postgresql.test.ts plays. */
export const postgresqlScenes = ["move", "moved", "left"] as const;

/** Those that need a host with systemd and two versions: test/lab/postgresql/in-place.test.ts plays them. */
export const inPlaceScenes = ["place", "placed"] as const;
