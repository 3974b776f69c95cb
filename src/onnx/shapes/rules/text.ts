// Operators on texts.

import { maximum, type Size } from "../dimension.ts";
import type { Shape } from "../inferred-type.ts";
import {
  fault,
  intsOf,
  type Operation,
  type Rules,
  shapeAt,
  tensors,
  typed,
} from "../operation.ts";

/** Words that are left after stop words went: along the last axis, at least one. */
function normalised(operation: Operation): Shape {
  const shape = shapeAt(operation, 0);
  const filters = operation.attributes.has("stopwords");
  return filters ? [...shape.slice(0, -1), operation.mint("words")] : shape;
}

/** One column for each n-gram that is counted. */
function columns(operation: Operation): Size {
  const indexes = intsOf(operation, "ngram_indexes") ?? fault("attribute ngram_indexes is missing");
  return indexes.reduce<Size>((most, index) => maximum(most, index + 1), 0);
}

export const texts: Rules = {
  StringNormalizer: tensors((operation) => [normalised(operation)]),
  StringSplit: tensors(
    (operation) => {
      const shape = shapeAt(operation, 0);
      return [[...shape, operation.mint("pieces")], shape];
    },
    typed("string", "int64"),
  ),
  TfIdfVectorizer: tensors((operation) => {
    const shape = shapeAt(operation, 0);
    return [[...shape.slice(0, -1), columns(operation)]];
  }, typed("float32")),
};
