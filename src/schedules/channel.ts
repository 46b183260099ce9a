import { requireShortText } from "../short-text.ts";

/**
 * The name of a channel, without white space around it. Case counts.
 *
 * @throws ApplicationError BAD_USER_INPUT
 */
export const requireChannel = (channel: string | null, inputPath: readonly string[]): string =>
  requireShortText(channel, { field: "channel", longest: 100, inputPath });
