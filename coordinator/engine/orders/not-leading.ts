/** The refusal of a coordinator that does not lead: it names the one that does. */
import { fail, type Outcome } from "#proto/common/failure.ts";

export interface LeaderView {
  leader(): { readonly leads: boolean; readonly address: string };
}

export function notLeading(of: LeaderView): Outcome<never> | undefined {
  const { leads, address } = of.leader();
  return leads ? undefined : fail("coordinator.not-leader", { leader: address });
}
