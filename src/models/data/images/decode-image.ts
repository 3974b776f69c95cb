// JPEG and PNG files as pixels, by libjpeg-turbo and LodePNG compiled to WebAssembly
// (docs/decisions/0005-dependencies.md). The size is read from the header first, so that a file that
// claims a thousand million pixels is refused before anything is allocated for it.

import { reasonOf, UserError } from "../../../core/index.ts";
import { dataFault } from "../read/fault.ts";

/** Eight bits a channel, RGBA interleaved, row by row from the top left. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** Decodes one image. Throws for a damaged one. */
type Decoder = (bytes: Uint8Array) => Pixels;

export interface ImageDecoders {
  readonly jpeg: Decoder;
  readonly png: Decoder;
}

/** Most pixels of one image: 100 megapixels, 400 MB decoded. */
const MAX_PIXELS = 100e6;

/** File names that are taken for images. */
export const isImageName = (name: string): boolean => /\.(jpe?g|png)$/i.test(name);

/** Loads the optional decoders. Throws UserError with the line that installs them. */
export async function loadDecoders(): Promise<ImageDecoders> {
  try {
    const [jpeg, png] = await Promise.all([import("@cwasm/jpeg-turbo"), import("@cwasm/lodepng")]);
    return { jpeg: jpeg.decode, png: png.decode };
  } catch (cause) {
    throw new UserError("unsupported", "images need decoders that are not installed", {
      hint: "npm install @cwasm/jpeg-turbo @cwasm/lodepng",
      cause,
    });
  }
}

/** The pixels of a JPEG or PNG file. Throws UserError naming the file, or the entry of an archive. */
export function decodeImage(file: string, bytes: Uint8Array, decoders: ImageDecoders): Pixels {
  const kind = kindOf(bytes);
  if (kind === null) {
    throw dataFault(file, null, "neither JPEG nor PNG", "Convert it, or take it out.");
  }
  const hint = "The image is damaged; get it again or take it out.";
  const size = kind === "jpeg" ? jpegSize(bytes) : pngSize(bytes);
  if (size === null || size.width === 0 || size.height === 0) {
    throw dataFault(file, null, "an image without a size", hint);
  }
  if (size.width * size.height > MAX_PIXELS) {
    const fault = `${size.width} x ${size.height} pixels, more than ${MAX_PIXELS / 1e6} million`;
    throw dataFault(file, null, fault, "Make it smaller.");
  }
  try {
    return decoders[kind](bytes);
  } catch (cause) {
    throw dataFault(file, null, `cannot be decoded (${reasonOf(cause)})`, hint, cause);
  }
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

function kindOf(bytes: Uint8Array): keyof ImageDecoders | null {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "jpeg";
  return PNG_SIGNATURE.every((byte, at) => bytes[at] === byte) ? "png" : null;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** From the IHDR chunk, which must come first (PNG specification, 11.2.2). */
function pngSize(bytes: Uint8Array): Size | null {
  if (bytes.length < 24) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

/** From the first start-of-frame marker (ITU-T T.81, B.2.2); null when there is none. */
function jpegSize(bytes: Uint8Array): Size | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 9 <= bytes.length; ) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1; // fill byte
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    const standsAlone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
    at += standsAlone ? 2 : 2 + view.getUint16(at + 2);
  }
  return null;
}
