// Opens a model file: its graph at once, its weights when they are asked for, data files beside it
// only from its own folder.

import { type FileSource, openFileSource, pathInside } from "../core/host/file-source.ts";
import {
  byteLength,
  decodeModel,
  type ExternalData,
  externalData,
  type Graph,
  type Model,
  ModelError,
  subGraphsOf,
  type Tensor,
} from "../onnx/index.ts";

/** A model and the files that it lies in. Close it when its weights are no longer needed. */
export interface OpenModel extends Disposable {
  readonly path: string;
  readonly model: Model;
  /** Finds tensors' elements that lie in other files; for `elementsOf`. */
  readonly external: ExternalData;
  /** Size of the model file itself, bytes. */
  readonly fileBytes: number;
  close(): void;
}

/** Bytes of weights. */
export interface WeightBytes {
  /** Of all initializers, in the graph and the graphs inside it. */
  readonly total: number;
  /** Of those that the model keeps in other files. */
  readonly external: number;
}

/** Opens a model. Throws UserError, or ModelError for a file that is no valid model file. */
export function openModelFile(path: string): OpenModel {
  const opened: FileSource[] = [];
  const close = (): void => {
    for (const source of opened.splice(0)) source.close();
  };
  const open = (file: string): FileSource => {
    const source = openFileSource(file);
    opened.push(source);
    return source;
  };
  try {
    const source = open(path);
    const model = decodeModel(source);
    return {
      path,
      model,
      external: externalData((location) => open(pathInside(path, location))),
      fileBytes: source.size,
      close,
      [Symbol.dispose]: close,
    };
  } catch (error) {
    close();
    throw error instanceof ModelError ? error.inFile(path) : error;
  }
}

/**
 * What a model's initializers take up, by their types and dimensions; nothing is read. Throws
 * ModelError for a tensor whose size cannot be told.
 */
export function weightBytes({ graph }: Model): WeightBytes {
  const tensors = graph === undefined ? [] : initializersIn(graph);
  const bytes = (of: readonly Tensor[]): number =>
    of.reduce((sum, tensor) => sum + byteLength(tensor), 0);
  return {
    total: bytes(tensors),
    external: bytes(tensors.filter(({ data }) => data.kind === "external")),
  };
}

function initializersIn(graph: Graph): readonly Tensor[] {
  const inner = graph.nodes.flatMap((node) =>
    subGraphsOf(node).flatMap((of) => initializersIn(of.graph)),
  );
  return [...graph.initializers, ...inner];
}
