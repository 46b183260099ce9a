import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventRing } from "../../src/outbox/event-ring.ts";

const event = (position: number) => ({ position, topic: "document", rowId: "a", payload: {} });

describe("a ring of events", () => {
  it("is empty at first, and up to date at the position where it starts", () => {
    const ring = new EventRing(3, 7);
    expect([ring.floor, ring.head]).toEqual([7, 7]);
    expect(ring.after(7)).toBeUndefined();
  });

  it("holds the latest events, and forgets the oldest when it is full", () => {
    const ring = new EventRing(2, 7);
    ring.add(event(8));
    ring.add(event(10));
    expect([ring.floor, ring.head]).toEqual([7, 10]);
    ring.add(event(11));
    expect([ring.floor, ring.head]).toEqual([8, 11]);
    ring.add(event(15));
    expect([ring.floor, ring.head]).toEqual([10, 15]);
  });

  it("gives to each reader the first event after its position, whatever the gaps are", () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 30 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), gaps, (capacity, gaps) => {
        const ring = new EventRing(capacity, 100);
        const positions: number[] = [];
        for (const gap of gaps) {
          positions.push((positions.at(-1) ?? 100) + gap);
          ring.add(event(positions.at(-1) as number));
        }
        for (let position = ring.floor; position <= ring.head; position++) {
          expect(ring.after(position)?.position).toBe(positions.find((other) => other > position));
        }
        expect(positions.filter((position) => position > ring.floor)).toEqual(positions.slice(-capacity));
      }),
    );
  });
});
