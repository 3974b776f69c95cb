// What each sub-path weighs: minified, brotli, with its dependencies and with what it imports only on
// demand (the schema library is 17 kB where it comes whole).

import { builtinModules } from "node:module";

// Optional packages are loaded only where they are used.
const optional = [
  ...["koffi", "onnxruntime-node", "onnxruntime-web", "pg", "@tgwf/co2", "highs"],
  ...["@cwasm/jpeg-turbo", "@cwasm/lodepng", "hyparquet", "@huggingface/tokenizers"],
];
const ignore = [...builtinModules.map((name) => `node:${name}`), ...optional];
const entry = (name, path, limit) => ({ name, path: `dist/${path}`, limit, ignore });

export default [
  entry("godwit", "index.js", "80 kB"),
  entry("godwit/core", "core/index.js", "5 kB"),
  entry("godwit/card", "core/card.js", "30 kB"),
  entry("godwit/measure", "measure/run/index.js", "50 kB"),
  entry("godwit/sensors", "measure/sensors/index.js", "30 kB"),
  entry("godwit/estimate", "measure/estimate/index.js", "22 kB"),
  entry("godwit/carbon", "measure/carbon/index.js", "15 kB"),
  entry("godwit/compare", "measure/compare/index.js", "5 kB"),
  entry("godwit/budget", "measure/budget/index.js", "35 kB"),
  entry("godwit/merge", "measure/merge/index.js", "10 kB"),
  entry("godwit/import", "measure/import/index.js", "40 kB"),
  entry("godwit/exports", "report/exports/index.js", "45 kB"),
  entry("godwit/ledger", "ledger/index.js", "40 kB"),
  entry("godwit/onnx", "onnx/index.js", "60 kB"),
  entry("godwit/engine", "engine/index.js", "25 kB"),
  entry("godwit/data", "models/data/index.js", "25 kB"),
  entry("godwit/select", "models/train/select/index.js", "80 kB"),
  entry("godwit/search", "models/search/index.js", "10 kB"),
  entry("godwit/compress", "models/compress/index.js", "180 kB"),
  entry("godwit/dynamic", "models/dynamic/index.js", "90 kB"),
  entry("godwit/layers", "models/layers/index.js", "10 kB"),
  entry("godwit/nets", "models/nets/index.js", "60 kB"),
  entry("godwit/methods", "measure/methods/index.js", "30 kB"),
  entry("godwit/profile", "measure/profile/index.js", "40 kB"),
  entry("godwit/schedule", "systems/schedule/index.js", "45 kB"),
  entry("godwit/jobs", "systems/schedule/jobs/index.js", "80 kB"),
  entry("godwit/tune", "systems/tune/index.js", "40 kB"),
  entry("godwit/report", "report/index.js", "20 kB"),
];
