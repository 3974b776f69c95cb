// From the pixels of a file to the tensor that a model was trained on. Everything about it is declared,
// because a model fed with other numbers than it knows is wrong without a word.

import type { Pixels } from "./decode-image.ts";
import { type Planes, resize } from "./resize.ts";

/** What a model expects of an image. Means and deviations are in units after scaling. */
export interface ImagePreprocessing {
  /** Size in pixels to resize to, without keeping the aspect ratio; the file's own when left out. */
  readonly width?: number;
  readonly height?: number;
  /** Axis order of a sample: channels, rows, columns; or rows, columns, channels. */
  readonly layout?: "CHW" | "HWC";
  readonly channels?: "RGB" | "BGR" | "grey";
  /** Factor on the values 0 to 255; 1/255 unless given. */
  readonly scale?: number;
  readonly mean?: readonly number[];
  readonly deviation?: readonly number[];
}

/** One sample: its shape in the asked-for layout, and its values. */
export interface ImageTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The tensor of an image. Transparency is dropped, as `convert("RGB")` of Pillow does. */
export function preprocess(pixels: Pixels, how: ImagePreprocessing): ImageTensor {
  const planes = planesOf(pixels, how.channels ?? "RGB");
  const sized = resize(planes, how.width ?? planes.width, how.height ?? planes.height);
  const { channels, width, height, data } = sized;
  const plane = width * height;
  const scale = how.scale ?? 1 / 255;
  const out = new Float32Array(data.length);
  const [channelStride, pixelStride] = how.layout === "HWC" ? [1, channels] : [plane, 1];
  for (let channel = 0; channel < channels; channel++) {
    const deviation = ofChannel(how.deviation, channel, 1);
    const factor = scale / deviation;
    const shift = ofChannel(how.mean, channel, 0) / deviation;
    for (let at = 0; at < plane; at++) {
      const value = data[channel * plane + at] as number;
      out[channel * channelStride + at * pixelStride] = value * factor - shift;
    }
  }
  const shape = how.layout === "HWC" ? [height, width, channels] : [channels, height, width];
  return { shape, data: out };
}

/** A single value stands for every channel. */
const ofChannel = (
  values: readonly number[] | undefined,
  channel: number,
  otherwise: number,
): number => values?.[channel] ?? values?.[0] ?? otherwise;

/** ITU-R BT.601 luma, as Pillow's "L" has it. */
const LUMA = [0.299, 0.587, 0.114] as const;

function planesOf({ width, height, data }: Pixels, order: "RGB" | "BGR" | "grey"): Planes {
  const plane = width * height;
  const channels = order === "grey" ? 1 : 3;
  const out = new Float32Array(channels * plane);
  for (let at = 0; at < plane; at++) {
    const red = data[4 * at] as number;
    const green = data[4 * at + 1] as number;
    const blue = data[4 * at + 2] as number;
    if (order === "grey") {
      out[at] = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue;
      continue;
    }
    out[at] = order === "RGB" ? red : blue;
    out[plane + at] = green;
    out[2 * plane + at] = order === "RGB" ? blue : red;
  }
  return { channels, width, height, data: out };
}
