// Operators of ai.onnx.ml: classical models and their preprocessing (onnx, docs/Operators-ml.md).

import type { DataType } from "../../model.ts";
import { product, type Size, total } from "../dimension.ts";
import type { InferredType, Shape } from "../inferred-type.ts";
import {
  axisSize,
  fault,
  general,
  intOf,
  intsOf,
  type Operation,
  type Rules,
  shapeAt,
  shapeFromRank,
  tensors,
  typed,
  typeOnly,
} from "../operation.ts";
import { ruleFor, sameShape, unary } from "./elementwise.ts";

/** Number of elements of a list attribute, of whatever kind. */
function lengthOf(operation: Operation, name: string): number {
  const value = operation.attributes.get(name)?.value;
  return Array.isArray(value) ? value.length : 0;
}

/** Samples: a vector is one of them. */
const samples = (operation: Operation): Size => {
  const shape = shapeFromRank(operation, 0, 1);
  return shape.length === 1 ? 1 : axisSize(shape, 0);
};

/** Labels are text or numbers, whichever list the classifier has. */
function classifier(strings: string, integers: readonly string[]) {
  const labels = (operation: Operation): number =>
    lengthOf(operation, strings) || Math.max(...integers.map((name) => lengthOf(operation, name)));
  return tensors(
    (operation) => [[samples(operation)], [samples(operation), labels(operation)]],
    (operation) => [lengthOf(operation, strings) > 0 ? "string" : "int64", "float32"],
  );
}

const regressor = tensors(
  (operation) => [
    [samples(operation), intOf(operation, "targets", intOf(operation, "n_targets", 1))],
  ],
  typed("float32"),
);

const LABEL_TYPES: readonly (readonly [string, DataType])[] = [
  ["values_strings", "string"],
  ["values_int64s", "int64"],
  ["values_floats", "float32"],
  ["classes_strings", "string"],
];

function encodedType(operation: Operation): DataType | null {
  const named = LABEL_TYPES.find(([name]) => operation.attributes.has(name));
  const values = operation.attributes.get("values_tensor");
  if (values?.kind === "tensor") return values.value.dataType;
  // Version 1 maps texts to numbers and numbers to texts through one list.
  const [type] = typed(null)(operation);
  return named?.[0] === "classes_strings"
    ? type === "string"
      ? "int64"
      : "string"
    : (named?.[1] ?? null);
}

const float = tensors((operation) => sameShape(operation), typed("float32"));
const encoder = tensors(
  (operation) => sameShape(operation),
  (operation) => [encodedType(operation)],
);

const table: InferredType = { kind: "sequence", element: { kind: "other" } };

export const machineLearning: Rules = {
  ...ruleFor("Binarizer Imputer", unary),
  ...ruleFor("Normalizer Scaler", float),
  LabelEncoder: encoder,
  CategoryMapper: tensors(
    (operation) => sameShape(operation),
    (operation) => {
      const [type] = typed(null)(operation);
      return [type === "string" ? "int64" : "string"];
    },
  ),
  LinearClassifier: classifier("classlabels_strings", ["classlabels_ints", "intercepts"]),
  SVMClassifier: classifier("classlabels_strings", ["classlabels_ints"]),
  TreeEnsembleClassifier: classifier("classlabels_strings", ["classlabels_int64s"]),
  LinearRegressor: regressor,
  SVMRegressor: regressor,
  TreeEnsembleRegressor: regressor,
  TreeEnsemble: tensors((operation) => [[samples(operation), intOf(operation, "n_targets", 1)]]),
  ArrayFeatureExtractor: tensors((operation) => {
    const shape = shapeFromRank(operation, 0, 1);
    const count = product(shapeAt(operation, 1));
    return [shape.length === 1 ? [1, count] : shape.with(-1, count)];
  }),
  FeatureVectorizer: tensors((operation) => {
    const widths: Shape =
      intsOf(operation, "inputdimensions") ?? fault("attribute inputdimensions is missing");
    return [[samples(operation), total(widths)]];
  }, typed("float32")),
  OneHotEncoder: tensors((operation) => {
    const categories = lengthOf(operation, "cats_int64s") || lengthOf(operation, "cats_strings");
    return [[...shapeAt(operation, 0), categories]];
  }, typed("float32")),
  ZipMap: general(() => [typeOnly(table)]),
};
