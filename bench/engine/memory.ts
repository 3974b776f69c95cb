// Ten thousand sessions made, run and closed: what is left of them.

import { graphLiteral, node, port } from "../../src/engine/graph-literal.ts";
import { createSession } from "../../src/engine/index.ts";
import { encodeModel, tensorOf } from "../../src/onnx/index.ts";
import { printTable, row } from "./figures.ts";

const TURNS = 10_000;
const SIDE = 256;

/** Prints resident memory on the way. */
export async function benchMemory(): Promise<void> {
  const weights = {
    name: "w",
    dims: [SIDE, SIDE],
    values: new Float32Array(SIDE * SIDE).fill(0.1),
  };
  const model = encodeModel(
    graphLiteral(
      [node("MatMul", ["x", "w"], ["y"])],
      [port("x", "float32", ["n", SIDE])],
      [port("y", "float32", ["n", SIDE])],
      [tensorOf("float32", weights)],
    ),
  );
  const rows: string[] = [];
  for (let turn = 0; turn <= TURNS; turn++) {
    await using session = await createSession(model, { threads: 2 });
    await session.run({ x: new Float32Array(SIDE) });
    if (turn % (TURNS / 5) === 0) {
      rows.push(row(turn, (process.memoryUsage.rss() / 1e6).toFixed(1)));
    }
  }
  console.log("Sessions with 0.26 MB of weights, 2 threads, made, run once and closed\n");
  printTable(["sessions so far", "resident MB"], rows);
}
