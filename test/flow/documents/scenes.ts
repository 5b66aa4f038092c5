/** Scenes of docs/postgresql.md, which postgresql.test.ts plays. */
export const postgresqlScenes = ["move", "moved", "left"] as const;
