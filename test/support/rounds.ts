/** How often something is tried: few times in every run, as often as the proof wants with LECTERN_LONG=1. */
export const isLong = process.env.LECTERN_LONG === "1";

export function rounds(short: number, long: number): number {
  return isLong ? long : short;
}
