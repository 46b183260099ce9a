/** Draws the peaks of a sound as SVG: bars in the colour of the text around it. */
import { peaksOf } from "./peaks.ts";

/** A bar and the gap after it, in units of the drawing. */
const [barWidth, gap] = [2, 1];
/** The height of a silent slice, so that the drawing shows where the sound is. */
const leastHeight = 1;
const limits = { width: { min: 3, max: 3_000 }, height: { min: 2, max: 3_000 } };

/**
 * An SVG of less than 20 kB; equal peaks make equal bytes.
 *
 * @param width and height in pixels, integers up to 3,000
 */
export function waveformSvg(peaks: Uint8Array, { width = 600, height = 80 }: { width?: number; height?: number } = {}) {
  requireWithin("width", width);
  requireWithin("height", height);
  const count = Math.min(1_000, Math.floor((width + gap) / (barWidth + gap)));
  const bars: string[] = [];
  for (const [index, level] of peaksOf(peaks, count).entries()) {
    const barHeight = Math.max(leastHeight, Math.round(level * height));
    const top = Math.floor((height - barHeight) / 2);
    bars.push(`M${index * (barWidth + gap)} ${top}h${barWidth}v${barHeight}h-${barWidth}z`);
  }
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
    `role="img" aria-label="Waveform"><path fill="currentColor" d="${bars.join("")}"/></svg>`
  );
}

function requireWithin(name: keyof typeof limits, value: number): void {
  const { min, max } = limits[name];
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`The ${name} of a waveform is an integer from ${min} to ${max}, not ${value}.`);
}
