/** The steps of a move, with the statement that a person would type for each. */
export * from "./steps/contents.ts";
export * from "./steps/fence.ts";
export * from "./steps/notes.ts";
export * from "./steps/old-server.ts";
export * from "./steps/peers.ts";
export * from "./steps/replication.ts";
export * from "./steps/schema.ts";
export * from "./steps/unreplicated.ts";
