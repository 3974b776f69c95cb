// The shipped operator table, for tests.

import { readFileSync } from "node:fs";
import { parseOperatorTable } from "../src/onnx/operator-table.ts";

export const operators = parseOperatorTable(
  readFileSync(new URL("../data/onnx-operators/operators.json", import.meta.url), "utf8"),
);
