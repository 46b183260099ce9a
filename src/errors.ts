/** A mistake that the person at the keyboard can mend: printed as one clear line, without a stack trace. */
export class UserError extends Error {
  override name = "UserError";
}
