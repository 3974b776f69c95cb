// Changes to training batches, drawn anew for each: the cheapest way to more data.

import { type Random, UserError } from "../../core/index.ts";
import type { TensorValue } from "../../engine/index.ts";

/** Changes the tensors of a batch, by the names of inputs. Random numbers are its only source of chance. */
export type Augment = (
  batch: Readonly<Record<string, TensorValue>>,
  random: Random,
) => Readonly<Record<string, TensorValue>>;

export interface ImageAugmentation {
  /** Mirrors left and right, for half of the images. */
  readonly flip?: boolean;
  /** Mirrors top and bottom as well, for half of them: for views from above. */
  readonly flipVertical?: boolean;
  /** Turns by 0, 1, 2 or 3 quarters: for views from above. Images must be square. */
  readonly turn?: boolean;
  /** Moves by up to so many pixels a side; what comes in is 0. */
  readonly shift?: number;
}

/** Mirrors, turns and moves images: float32 inputs of [batch, channels, height, width]. */
export function augmentImages(how: ImageAugmentation): Augment {
  return (batch, random) =>
    Object.fromEntries(
      Object.entries(batch).map(([name, value]) => [
        name,
        value.dims.length === 4 && value.data instanceof Float32Array
          ? { ...value, data: changedImages(value.data, value.dims, how, random) }
          : value,
      ]),
    );
}

function changedImages(
  data: Float32Array,
  dims: readonly number[],
  { flip = false, flipVertical = false, turn = false, shift = 0 }: ImageAugmentation,
  random: Random,
): Float32Array {
  const [images = 0, channels = 0, height = 0, width = 0] = dims;
  if (turn && height !== width) {
    throw new UserError("invalid-input", `images of ${height} x ${width} cannot be turned`, {
      hint: "Quarter turns are for square images.",
    });
  }
  const out = new Float32Array(data.length);
  const toss = (): boolean => random.integer(2) === 1;
  const move = (): number => (shift === 0 ? 0 : random.integer(2 * shift + 1) - shift);
  for (let image = 0; image < images; image++) {
    const [flipX, flipY] = [flip && toss(), flipVertical && toss()];
    const quarters = turn ? random.integer(4) : 0;
    // A quarter turn exchanges the axes and mirrors one of them.
    const exchanged = quarters % 2 === 1;
    const [mirrorX, mirrorY] = [flipX !== TURNED_X[quarters], flipY !== TURNED_Y[quarters]];
    const [dx, dy] = [move(), move()];
    for (let plane = image * channels; plane < (image + 1) * channels; plane++) {
      const start = plane * height * width;
      for (let y = Math.max(0, dy); y < Math.min(height, height + dy); y++) {
        const row = mirrorY ? height - 1 - (y - dy) : y - dy;
        for (let x = Math.max(0, dx); x < Math.min(width, width + dx); x++) {
          const column = mirrorX ? width - 1 - (x - dx) : x - dx;
          const from = exchanged ? column * width + row : row * width + column;
          out[start + y * width + x] = data[start + from] ?? 0;
        }
      }
    }
  }
  return out;
}

/** Whether so many quarter turns mirror an axis, beside exchanging the two. */
const TURNED_X = [false, true, true, false];
const TURNED_Y = [false, false, true, true];
