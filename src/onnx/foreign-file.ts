// Recognises files that are plainly something else, so that the answer is a name instead of a fault
// at byte 7.

import type { ByteSource } from "./byte-source.ts";
import { ModelError } from "./model-error.ts";

const HEAD = 64;

/** Throws ModelError naming what the file is when it is no protobuf at all. */
export function recogniseForeignFile(source: ByteSource): void {
  const head = source.read(0, Math.min(HEAD, source.size));
  // One character a byte; the decoder called latin1 in browsers and Node is windows-1252.
  const text = String.fromCharCode(...head);
  const found = kindOf(head, text);
  if (found === null) return;
  throw new ModelError(`not an ONNX model: ${found.name}`, "", { hint: found.hint });
}

function kindOf(head: Uint8Array, text: string): { name: string; hint: string } | null {
  if (head.length === 0) {
    return { name: "an empty file", hint: "Copy or export the model again." };
  }
  if (text.startsWith("PK\u0003\u0004")) {
    return {
      name: "a zip archive, such as a PyTorch checkpoint (.pt, .pth) or a packed model",
      hint: "Unpack the archive, or export the model with torch.onnx.export.",
    };
  }
  if (text.startsWith("\u0080\u0002") || text.startsWith("\u0080\u0004")) {
    return {
      name: "a Python pickle, such as an old PyTorch checkpoint",
      hint: "Load it in Python and export it with torch.onnx.export.",
    };
  }
  if (text.slice(4, 8) === "ORTM") {
    return {
      name: "an ONNX Runtime format model (.ort)",
      hint: "Use the .onnx file it came from.",
    };
  }
  if (text.slice(4, 8) === "TFL3") {
    return { name: "a TensorFlow Lite model", hint: "Convert it with tf2onnx." };
  }
  if (text.startsWith("GGUF")) {
    return { name: "a GGUF file: weights without a graph", hint: "Export the model to ONNX." };
  }
  if (text.startsWith("\u0089HDF")) {
    return { name: "an HDF5 file, such as a Keras model", hint: "Convert it with tf2onnx." };
  }
  // Eight bytes of header length, little-endian, then the header as JSON.
  if (text[7] === "\u0000" && text.slice(8, 10) === '{"') {
    return {
      name: "a safetensors file: weights without a graph",
      hint: "Export the model to ONNX.",
    };
  }
  if (/^\s*(<!doctype html|<html)/i.test(text)) {
    return { name: "an HTML page", hint: "Download the file itself, not its page." };
  }
  if (text.startsWith("version https://git-lfs")) {
    return { name: "a Git LFS pointer", hint: "Fetch the file with `git lfs pull`." };
  }
  if (/^\s*[{[]/.test(text)) {
    return { name: "a JSON file", hint: "Give the .onnx file." };
  }
  return null;
}
