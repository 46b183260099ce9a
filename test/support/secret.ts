/** What servers under test sign their tokens with. */
export const secret = "a secret that is only for tests, and long enough";
