/** What a host's disk and database hold: it outlives agents and coordinators. */
export interface Node {
  readonly name: string;
  up: boolean;
  version: string;
  /** Starts of changing steps, by step and attempt. */
  readonly starts: Map<string, number>;
  failsAt: string | undefined;
}

/** How long a message is on its way. */
export const latencyMs = 1;
/** How long each step of a program takes. */
export const stepMs = 100;
