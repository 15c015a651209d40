/** A set-up step that cannot go on; its message says what failed and what to do, and is all the user sees. */

export class SetUpError extends Error {}
