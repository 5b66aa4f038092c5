/** Under which state id a node was last proven. A known node with another one has lost its memory. */
export const standingFormat = 1;

export interface NodeStanding {
  readonly format: typeof standingFormat;
  readonly stateId: string;
  readonly provenAt: string;
  readonly by: string;
}
