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
  readonly size: ModelSize;
  close(): void;
}

/** Bytes on disk. */
export interface ModelSize {
  /** Of the model file itself. */
  readonly file: number;
  /** Of tensors that the model keeps in other files. */
  readonly external: number;
  /** Of all initializers, wherever they are, in the graph and the graphs inside it. */
  readonly initializers: number;
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
      size: { file: source.size, ...weighInitializers(model) },
      close,
      [Symbol.dispose]: close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function weighInitializers({ graph }: Model): { external: number; initializers: number } {
  const tensors = graph === undefined ? [] : initializersIn(graph);
  const bytes = (of: readonly Tensor[]): number =>
    of.reduce((sum, tensor) => sum + weigh(tensor), 0);
  return {
    external: bytes(tensors.filter(({ data }) => data.kind === "external")),
    initializers: bytes(tensors),
  };
}

/** Bytes of a tensor; none for one whose type or dimensions are impossible, which the checker names. */
function weigh(tensor: Tensor): number {
  try {
    return byteLength(tensor);
  } catch (error) {
    if (error instanceof ModelError) return 0;
    throw error;
  }
}

function initializersIn(graph: Graph): readonly Tensor[] {
  const inner = graph.nodes.flatMap((node) =>
    subGraphsOf(node).flatMap((of) => initializersIn(of.graph)),
  );
  return [...graph.initializers, ...inner];
}
