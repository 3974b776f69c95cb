// What importing each sub-path weighs: minified, brotli, with its dependencies.

import { builtinModules } from "node:module";

const ignore = [...builtinModules.map((name) => `node:${name}`), "koffi", "onnxruntime-node"];
const entry = (name, path, limit) => ({ name, path: `dist/${path}`, limit, ignore });

export default [
  entry("godwit", "index.js", "60 kB"),
  entry("godwit/core", "core/index.js", "5 kB"),
  entry("godwit/card", "core/card.js", "30 kB"),
  entry("godwit/measure", "measure/run/index.js", "40 kB"),
  entry("godwit/sensors", "measure/sensors/index.js", "35 kB"),
  entry("godwit/estimate", "measure/estimate/index.js", "15 kB"),
  entry("godwit/carbon", "measure/carbon/index.js", "15 kB"),
  entry("godwit/compare", "measure/compare/index.js", "5 kB"),
  entry("godwit/ledger", "ledger/index.js", "35 kB"),
  entry("godwit/onnx", "onnx/index.js", "60 kB"),
  entry("godwit/report", "report/index.js", "20 kB"),
];
