/** The ranks of tracks, compared with an array that is ordered by hand. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Gap, longestRank, type RankedTrack, ranksIn, rerank } from "../../src/playlists/rank.ts";

const form = /^[0-9A-Za-z]{1,100}$/;

/** A playlist as a list that is sorted by ranks, and as a model that is moved by index. */
class Tracks {
  model: string[] = [];
  ranked: RankedTrack[] = [];
  reranked = 0;
  #made = 0;

  /** Puts new tracks, or those with these ids, before the one at the index. */
  put(index: number, { count = 1, moved = [] as string[] } = {}): void {
    const above = this.ranked[index]?.rank ?? null;
    const gap: Gap = { below: this.ranked[index - 1]?.rank ?? null, above };
    const next = this.ranked[index]?.id;
    const ids = moved.length > 0 ? moved : Array.from({ length: count }, () => `t${++this.#made}`);
    let ranks = ranksIn(gap, ids.length);
    if (!ranks) {
      this.reranked++;
      const { inGap, others } = rerank(this.ranked, gap, ids.length);
      this.#requireUnused(others);
      this.ranked = others;
      ranks = inGap;
    }
    this.#requireUnused(ranks.map((rank) => ({ rank })));
    const staying = this.ranked.filter(({ id }) => !moved.includes(id));
    this.ranked = [...staying, ...ids.map((id, at) => ({ id, rank: ranks[at] as string }))];
    this.ranked.sort((one, other) => (one.rank < other.rank ? -1 : 1));

    this.model = this.model.filter((id) => !moved.includes(id));
    this.model.splice(next === undefined ? this.model.length : this.model.indexOf(next), 0, ...ids);
  }

  /** As the unique index does. */
  #requireUnused(given: readonly { rank: string }[]): void {
    const used = new Set(this.ranked.map(({ rank }) => rank));
    const taken = given.filter(({ rank }) => used.has(rank));
    if (taken.length > 0) throw new Error(`${taken.length} ranks are in use, ${taken[0]?.rank} among them.`);
  }

  check(): void {
    expect(this.ranked.map(({ id }) => id)).toEqual(this.model);
    for (const { rank } of this.ranked) {
      expect(rank).toMatch(form);
      expect(rank.length).toBeLessThanOrEqual(longestRank);
    }
  }
}

describe("ranks", () => {
  it("keep any order that insertions, moves and removals make", () => {
    const step = fc.record({
      kind: fc.constantFrom("add", "add", "move", "remove"),
      at: fc.nat(),
      count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 })),
      picks: fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const tracks = new Tracks();
        for (const { kind, at, count, picks } of steps) {
          const { length } = tracks.model;
          if (kind === "add" || length === 0) {
            tracks.put(at % (length + 1), { count });
            continue;
          }
          const picked = [...new Set(picks.map((pick) => tracks.model[pick % length] as string))];
          if (kind === "remove") {
            tracks.model = tracks.model.filter((id) => !picked.includes(id));
            tracks.ranked = tracks.ranked.filter(({ id }) => !picked.includes(id));
            continue;
          }
          const index = at % (length + 1);
          // A track is no neighbour of itself.
          if (!picked.includes(tracks.model[index] ?? "")) tracks.put(index, { moved: picked });
        }
        tracks.check();
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ["before one track", (tracks: Tracks) => tracks.model.indexOf("t5")],
    ["after one track", (tracks: Tracks) => tracks.model.indexOf("t5") + 1],
    ["at the beginning", () => 0],
    ["at the end", (tracks: Tracks) => tracks.model.length],
  ])("stay short when 600 tracks come %s", (_where, index) => {
    const tracks = new Tracks();
    tracks.put(0, { count: 10 });
    for (let count = 0; count < 600; count++) tracks.put(index(tracks));
    tracks.check();
  });

  it("stay short when the same track moves 10,000 times, by new ranks for all about each 200 times", () => {
    const tracks = new Tracks();
    tracks.put(0, { count: 10 });
    for (let count = 0; count < 10_000; count++) {
      // The last but two comes before the last one.
      tracks.put(9, { moved: [tracks.model[7] as string] });
    }
    tracks.check();
    expect(tracks.reranked).toBeGreaterThan(10);
    expect(tracks.reranked).toBeLessThan(100);
  });

  it("for a thousand tracks in one gap have a few characters more than their neighbours", () => {
    const ranks = ranksIn({ below: "a0", above: "a1" }, 1_000) as string[];
    expect(new Set(ranks).size).toBe(1_000);
    expect([...ranks].sort((one, other) => (one < other ? -1 : 1))).toEqual(ranks);
    expect(Math.max(...ranks.map(({ length }) => length))).toBeLessThanOrEqual(6);
  });

  it.each(["0", "a", "zzz", "a00", "B", "A00000000000000000000000000"])(
    "of another program, such as %s, are replaced",
    (foreign) => {
      const tracks = [
        { id: "first", rank: foreign < "a1" ? foreign : "a0" },
        { id: "second", rank: foreign < "a1" ? "a1" : foreign },
      ];
      const gap = { below: tracks[0]?.rank as string, above: tracks[1]?.rank as string };
      expect(ranksIn(gap, 1)).toBeNull();
      const { inGap, others } = rerank(tracks, gap, 1);
      expect(others.map(({ id }) => id)).toEqual(["first", "second"]);
      const [first, second] = others.map(({ rank }) => rank) as [string, string];
      const [between] = inGap as [string];
      expect(first < between && between < second).toBe(true);
      for (const rank of [first, between, second]) expect([gap.below, gap.above]).not.toContain(rank);
      expect(ranksIn({ below: first, above: between }, 1)).not.toBeNull();
    },
  );

  it("come after one of another program at the end", () => {
    const tracks = [
      { id: "first", rank: "a0" },
      { id: "second", rank: "zzz" },
    ];
    const gap = { below: "zzz", above: null };
    expect(ranksIn(gap, 2)).toBeNull();
    const { inGap, others } = rerank(tracks, gap, 2);
    expect(others.map(({ id }) => id)).toEqual(["first", "second"]);
    const ranks = [...others.map(({ rank }) => rank), ...inGap];
    expect(ranks).toHaveLength(4);
    expect([...ranks].sort()).toEqual(ranks);
  });
});
