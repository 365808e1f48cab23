import gifenc from 'gifenc'
import { PNG } from 'pngjs'

/** A frame: a PNG, and how long it is shown, in milliseconds. */
export interface Frame {
  readonly png: Buffer
  readonly delay: number
}

/** GIF has 256 colours; the last one is "as in the frame before". */
const COLOURS = 255

/** Writes an animated GIF that is played over and over. Frames that equal the one before only make it longer. */
export function writeGif(frames: readonly Frame[]): Uint8Array {
  const merged: { pixels: Uint32Array; width: number; height: number; delay: number }[] = []
  for (const { png, delay } of frames) {
    const { data, width, height } = PNG.sync.read(png)
    const pixels = new Uint32Array(data.buffer, data.byteOffset, data.length / 4)
    const last = merged.at(-1)
    if (last !== undefined && last.pixels.every((pixel, index) => pixel === pixels[index])) last.delay += delay
    else merged.push({ pixels, width, height, delay })
  }
  const colours = commonest(merged.map(({ pixels }) => pixels))
  const indexOf = nearest(colours)
  const palette = [...colours.map(channels), [0, 0, 0]]
  const encoder = gifenc.GIFEncoder()
  let before: Uint32Array | null = null
  for (const { pixels, width, height, delay } of merged) {
    const indices = Uint8Array.from(pixels, (pixel, index) => pixel === before?.[index] ? COLOURS : indexOf(pixel))
    encoder.writeFrame(indices, width, height, {
      palette, delay, repeat: 0, transparent: before !== null, transparentIndex: COLOURS, dispose: 1,
    })
    before = pixels
  }
  encoder.finish()
  return encoder.bytes()
}

/** The colours that most pixels have: a page has few, and those of the edges of its letters. */
function commonest(pictures: readonly Uint32Array[]): readonly number[] {
  const counts = new Map<number, number>()
  for (const pixels of pictures) for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1)
  const sorted = [...counts].sort(([, one], [, other]) => other - one).map(([colour]) => colour).slice(0, COLOURS)
  return [...sorted, ...Array<number>(COLOURS - sorted.length).fill(0)]
}

/** Returns the index of the colour that is most like a pixel. */
function nearest(colours: readonly number[]): (pixel: number) => number {
  const known = new Map(colours.map((colour, index) => [colour, index] as const).reverse())
  const palette = colours.map(channels)
  return pixel => {
    const found = known.get(pixel)
    if (found !== undefined) return found
    const wanted = channels(pixel)
    const distances = palette.map(colour => (
      colour.reduce((sum, value, part) => sum + (value - (wanted[part] ?? 0)) ** 2, 0)
    ))
    const index = distances.indexOf(Math.min(...distances))
    known.set(pixel, index)
    return index
  }
}

/** Red, green and blue of a pixel in the order of its bytes. */
function channels(pixel: number): readonly number[] {
  return [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255]
}
