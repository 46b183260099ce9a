/**
 * Ranks order the tracks of a playlist: texts, compared by their bytes, of which there is always another between two. So
 * a track moves by a change of its own row (docs/decisions/0022). All functions are pure.
 */
import { generateKeyBetween, generateNKeysBetween } from "fractional-indexing";

/** Moves to one position make each rank there a little longer than the last. Beyond this, all tracks get new ones. */
export const longestRank = 40;

/** The ranks on both sides of a position; null where it is the first or the last. No track is between them. */
export type Gap = { below: string | null; above: string | null };

export type RankedTrack = { id: string; rank: string };

/** Ascending ranks in a gap; null if they would be too long. */
export function ranksIn({ below, above }: Gap, count: number): string[] | null {
  try {
    const ranks = generateNKeysBetween(below, above, count);
    return ranks.every((rank) => rank.length <= longestRank) ? ranks : null;
  } catch {
    // Another program has written a rank of its own form. New ranks for all tracks replace it.
    return null;
  }
}

/**
 * New, short ranks for all tracks of a playlist, and for `count` in the gap. None is in use, so that a unique index accepts
 * them row by row, whatever the order.
 *
 * @param tracks all tracks of the playlist, in their order
 */
export function rerank(
  tracks: readonly RankedTrack[],
  { above }: Gap,
  count: number,
): { inGap: string[]; others: RankedTrack[] } {
  const index = tracks.filter(({ rank }) => above === null || rank < above).length;
  const ranks = unusedRanks(tracks.length + count, new Set(tracks.map(({ rank }) => rank)));
  const inGap = ranks.splice(index, count);
  return { inGap, others: tracks.map(({ id }, position) => ({ id, rank: ranks[position] as string })) };
}

/** The first ascending ranks that are not in use. */
function unusedRanks(count: number, used: ReadonlySet<string>): string[] {
  const ranks: string[] = [];
  for (let rank = generateKeyBetween(null, null); ranks.length < count; rank = generateKeyBetween(rank, null)) {
    if (!used.has(rank)) ranks.push(rank);
  }
  return ranks;
}
