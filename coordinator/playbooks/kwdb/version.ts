/** Rises when the same input gives another plan. */
export const playbookVersion = 9;
