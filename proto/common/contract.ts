/**
 * The version of the agent contract. It rises when a message changes its meaning; a new optional field
 * does not raise it. A coordinator serves agents from `oldestServed` up; an older one is refused by name.
 */
export const contract = { current: 1, oldestServed: 1 } as const;
