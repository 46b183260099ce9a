/** Servers under test sign their tokens with it. */
export const secret = "a secret that is only for tests, and long enough";
