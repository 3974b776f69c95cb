// A model to run, from whatever the caller has: a path, the bytes of a file, or the model as data.

import { dirname, resolve } from "node:path";
import { openFileSource, pathInside } from "../core/host/file-source.ts";
import { decodeModel, encodeModel, type Model, memorySource } from "../onnx/index.ts";
import { type StaticDims, withStaticDims } from "./static-dims.ts";

/** A path, the bytes of a model file, or a model. */
export type ModelSource = string | Uint8Array | Model;

export interface SourceOptions extends StaticDims {
  /** What errors call the model. Default: its path, or the name of its graph. */
  readonly name?: string;
  /** Folder of the data files that a model in memory refers to. Default: the folder of its path. */
  readonly dataFolder?: string;
}

/** A model ready to be handed to ONNX Runtime. */
export interface OpenedModel {
  readonly name: string;
  readonly model: Model;
  readonly dataFolder: string | null;
  /** The file as it is, where nothing was written into the model; else null. */
  readonly path: string | null;
  bytes(): Uint8Array;
  /** Closes the file, if there is one. */
  close(): void;
}

export interface DataFile {
  /** As the model spells it. */
  readonly path: string;
  readonly data: Uint8Array;
}

/** Opens the source and writes sizes into it. Throws UserError when it is no model. */
export function openSource(source: ModelSource, options: SourceOptions = {}): OpenedModel {
  const file = typeof source === "string" ? openFileSource(source) : null;
  try {
    const decoded = decode(source, file);
    const folder = options.dataFolder ?? (typeof source === "string" ? dirname(source) : null);
    const opened: OpenedModel = {
      name: options.name ?? nameOf(source, decoded),
      model: decoded,
      dataFolder: folder === null ? null : resolve(folder),
      path: typeof source === "string" ? source : null,
      bytes: () => (source instanceof Uint8Array ? source : encodeModel(decoded)),
      close: () => file?.close(),
    };
    return hasDims(options) ? withModel(opened, withStaticDims(decoded, options)) : opened;
  } catch (error) {
    file?.close();
    throw error;
  }
}

/** The same source with a changed model in its place. */
export const withModel = (opened: OpenedModel, model: Model): OpenedModel => ({
  ...opened,
  model,
  path: null,
  bytes: () => encodeModel(model),
});

function decode(source: ModelSource, file: ReturnType<typeof openFileSource> | null): Model {
  if (file !== null) return decodeModel(file);
  if (source instanceof Uint8Array) return decodeModel(memorySource(source));
  if (typeof source === "string") throw new TypeError("a path without its file");
  return source;
}

const hasDims = ({ dimensions, shapes }: StaticDims): boolean =>
  dimensions !== undefined || shapes !== undefined;

function nameOf(source: ModelSource, model: Model): string {
  if (typeof source === "string") return source;
  const name = model.graph?.name ?? "";
  return name === "" ? "the model" : `model "${name}"`;
}

/** Reads the data files that the graph's initialisers refer to. */
export function readDataFiles({ model, dataFolder }: OpenedModel): readonly DataFile[] {
  const locations = new Set<string>();
  for (const { data } of model.graph?.initializers ?? []) {
    if (data.kind !== "external") continue;
    const location = data.entries.find(({ key }) => key === "location")?.value;
    if (location !== undefined) locations.add(location);
  }
  return [...locations].map((path) => {
    const file = openFileSource(pathInside(resolve(dataFolder ?? ".", "model.onnx"), path));
    try {
      return { path, data: file.read(0, file.size) };
    } finally {
      file.close();
    }
  });
}
