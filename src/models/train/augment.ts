// Changes to training batches, drawn anew for each: the cheapest way to more data.

import type { Random } from "../../core/index.ts";
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
  /** Moves by up to so many pixels a side; what comes in is 0. */
  readonly shift?: number;
}

/** Mirrors and moves images: float32 inputs of [batch, channels, height, width]. */
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
  { flip = false, flipVertical = false, shift = 0 }: ImageAugmentation,
  random: Random,
): Float32Array {
  const [images = 0, channels = 0, height = 0, width = 0] = dims;
  const out = new Float32Array(data.length);
  const toss = (): boolean => random.integer(2) === 1;
  const move = (): number => (shift === 0 ? 0 : random.integer(2 * shift + 1) - shift);
  for (let image = 0; image < images; image++) {
    const [mirrorX, mirrorY] = [flip && toss(), flipVertical && toss()];
    const [dx, dy] = [move(), move()];
    for (let plane = image * channels; plane < (image + 1) * channels; plane++) {
      const start = plane * height * width;
      for (let y = Math.max(0, dy); y < Math.min(height, height + dy); y++) {
        const row = mirrorY ? height - 1 - (y - dy) : y - dy;
        for (let x = Math.max(0, dx); x < Math.min(width, width + dx); x++) {
          const column = mirrorX ? width - 1 - (x - dx) : x - dx;
          out[start + y * width + x] = data[start + row * width + column] ?? 0;
        }
      }
    }
  }
  return out;
}
