import { describe, expect, test } from "vitest";
import {
  floats,
  graph,
  ints,
  model,
  node,
  type SmallGraph,
  scalar,
} from "../../../test/small-model.ts";
import type { FunctionDefinition, Model, Node } from "../model.ts";
import { formatShape, formatSize } from "./dimension-text.ts";
import { inferShapes } from "./infer.ts";
import { typeOfValue } from "./inferred-shapes.ts";
import type { InferredType } from "./inferred-type.ts";
import type { ShapeOptions } from "./input-types.ts";

const text = (type: InferredType | undefined | null): string => {
  switch (type?.kind) {
    case "tensor":
      return `${type.elementType} ${formatShape(type.shape)}`;
    case "sequence":
      return type.element === null ? "sequence of nothing" : `sequence of ${text(type.element)}`;
    case "optional":
      return `optional ${text(type.element)}`;
    default:
      return "other";
  }
};

/** The type of a value of a small model. */
function typeIn(of: SmallGraph | Model, value: string, options: ShapeOptions = {}): string {
  const whole = "opsetImports" in of ? of : model(of);
  return text(inferShapes(whole, options).graph.values.get(value));
}

const faultsOf = (of: SmallGraph): readonly string[] =>
  inferShapes(model(of)).faults.map(({ message }) => message);

describe("sub-graphs that compute shapes keep their symbols", () => {
  // x.view(x.size(0), -1, 64) as PyTorch exports it.
  const view: readonly Node[] = [
    node("Shape", [["x"], ["s"]]),
    node("Gather", [["s", "zero"], ["b"]], { axis: 0 }),
    node("Unsqueeze", [["b", "axes"], ["b1"]]),
    node("Concat", [["b1", "rest"], ["target"]], { axis: 0 }),
    node("Reshape", [["x", "target"], ["y"]]),
  ];

  test("Shape, Gather, Unsqueeze, Concat, Reshape", () => {
    const inputs = {
      x: ["batch", "seq", 4, 64],
      zero: scalar(0),
      axes: ints([0]),
      rest: ints([-1, 64]),
    };
    expect(typeIn({ inputs, nodes: view }, "y")).toBe("float32 [batch, 4*seq, 64]");
    const { constants } = inferShapes(model({ inputs, nodes: view })).graph;
    expect(constants.get("target")?.map((item) => item && formatSize(item))).toEqual([
      "batch",
      "-1",
      "64",
    ]);
  });

  test("the same with arithmetic: halving, flooring, casting through floats", () => {
    const nodes = [
      node("Shape", [["x"], ["s"]], { start: 2, end: 4 }),
      node("Cast", [["s"], ["f"]], { to: 1 }),
      node("Mul", [["f", "half"], ["scaled"]]),
      node("Floor", [["scaled"], ["floored"]]),
      node("Cast", [["floored"], ["hw"]], { to: 7 }),
      node("Concat", [["front", "hw"], ["sizes"]], { axis: 0 }),
      node("Resize", [["x", "", "", "sizes"], ["y"]], { mode: "nearest" }),
    ];
    const inputs = { x: [1, 3, "H", "W"], half: floats([0.5]), front: ints([1, 3]) };
    expect(typeIn({ inputs, nodes }, "y")).toBe("float32 [1, 3, floor(H/2), floor(W/2)]");
  });

  // torch.nn.functional.pad with dynamic amounts: the paddings are turned around in a matrix.
  test("paddings that were turned around", () => {
    const nodes = [
      node("Shape", [["x"], ["s"]], { start: 1, end: 2 }),
      node("Concat", [["zero1", "s", "zeros4"], ["flat"]], { axis: 0 }),
      node("Reshape", [["flat", "pairs"], ["p"]]),
      node("Slice", [["p", "last", "far", "zero1", "minus"], ["turned"]]),
      node("Transpose", [["turned"], ["t"]], { perm: [1, 0] }),
      node("Reshape", [["t", "all"], ["pads"]]),
      node("Pad", [["x", "pads"], ["y"]]),
    ];
    const inputs = {
      x: ["batch", "seq", 8],
      zero1: ints([0]),
      zeros4: ints([0, 0, 0, 0]),
      pairs: ints([3, 2]),
      last: ints([-1]),
      far: ints([-(2 ** 63)]),
      minus: ints([-1]),
      all: ints([-1]),
    };
    // flat = [0, seq, 0, 0, 0, 0]: pairs (before, after) of the last axis first.
    expect(typeIn({ inputs, nodes }, "y")).toBe("float32 [batch, seq, seq + 8]");
  });

  test("Expand to a shape that Where and Equal chose", () => {
    const nodes = [
      node("Shape", [["x"], ["s"]]),
      node("ConstantOfShape", [["rank"], ["ones"]], { value: ints([1]) }),
      node("Equal", [["s", "minus"], ["isMinus"]]),
      node("Where", [["isMinus", "ones", "s"], ["target"]]),
      node("Expand", [["v", "target"], ["y"]]),
    ];
    const inputs = { x: ["batch", "seq"], rank: ints([2]), minus: ints([-1, -1]), v: [1, 1] };
    expect(typeIn({ inputs, nodes }, "y")).toBe("float32 [batch, seq]");
  });

  test("ranges and masks of past and new tokens", () => {
    const nodes = [
      node("Shape", [["ids"], ["si"]], { start: 1 }),
      node("Shape", [["past"], ["sp"]], { start: 2, end: 3 }),
      node("Add", [["si", "sp"], ["total1"]]),
      node("Squeeze", [["total1", "axis0"], ["total"]]),
      node("Squeeze", [["sp", "axis0"], ["start"]]),
      node("Range", [["start", "total", "one"], ["positions"]]),
      node("Range", [["zero", "total", "one"], ["all"]]),
      node("Unsqueeze", [["positions", "axis1"], ["column"]]),
      node("LessOrEqual", [["all", "column"], ["mask"]]),
    ];
    const inputs = {
      ids: { type: "int64" as const, shape: ["batch", "seq"] },
      past: ["batch", 4, "past", 8],
      axis0: ints([0]),
      axis1: ints([1]),
      zero: scalar(0),
      one: scalar(1),
    };
    expect(typeIn({ inputs, nodes }, "mask")).toBe("bool [seq, past + seq]");
  });

  test("positions beyond a table: slices with symbolic ends broadcast back", () => {
    const nodes = [
      node("Shape", [["x"], ["s"]], { start: 1, end: 2 }),
      node("Slice", [["table", "zero", "s", "one"], ["rows"]]),
      node("Add", [["x", "rows"], ["y"]]),
    ];
    const inputs = {
      x: ["batch", "seq", 16],
      table: floats(new Array(64).fill(0), [1, 4, 16]),
      zero: ints([0]),
      one: ints([1]),
    };
    expect(typeIn({ inputs, nodes }, "rows")).toBe("float32 [1, min(seq, 4), 16]");
    expect(typeIn({ inputs, nodes }, "y")).toBe("float32 [batch, seq, 16]");
  });

  test("weights are not read: only what a shape asks for is", () => {
    const unreadable = {
      ...floats([1]),
      dims: [4n],
      data: {
        kind: "raw" as const,
        payload: {
          length: 16,
          bytes: (): Uint8Array => {
            throw new Error("was read");
          },
        },
      },
    };
    const nodes = [node("Mul", [["x", "w"], ["m"]]), node("Reshape", [["m", "target"], ["y"]])];
    expect(typeIn({ inputs: { x: [2, 4], w: unreadable, target: ints([8]) }, nodes }, "y")).toBe(
      "float32 [8]",
    );
  });
});

describe("sizes that only a run can tell", () => {
  test("get symbols of their own, named after the operator", () => {
    const nodes = [node("NonZero", [["x"], ["a"]]), node("NonZero", [["x"], ["b"]])];
    const inputs = { x: ["nonzero_1", 3] };
    expect(typeIn({ inputs, nodes }, "a")).toBe("int64 [2, nonzero_2]");
    expect(typeIn({ inputs, nodes }, "b")).toBe("int64 [2, nonzero_3]");
  });

  test("or the name of the value they stand in, the same in every place", () => {
    const nodes = [
      node("ConstantOfShape", [["target"], ["a"]]),
      node("Expand", [["x", "target"], ["b"]]),
      node("Range", [["zero", "n", "one"], ["c"]]),
    ];
    const inputs = {
      target: { type: "int64" as const, shape: [2] },
      n: { type: "int64" as const, shape: [] },
      x: [1],
      zero: scalar(0),
      one: scalar(1),
    };
    expect(typeIn({ inputs, nodes }, "a")).toBe("float32 [target[0], target[1]]");
    expect(typeIn({ inputs, nodes }, "b")).toBe("float32 [target[0], target[1]]");
    expect(typeIn({ inputs, nodes }, "c")).toBe("int64 [n]");
    expect(typeIn({ inputs, nodes }, "a", { values: { target: [5, 6] } })).toBe("float32 [5, 6]");
  });
});

describe("sub-graphs", () => {
  const cond = { type: "bool" as const, shape: [] };
  const branches = (then: readonly Node[], otherwise: readonly Node[]) => ({
    then_branch: graph({ nodes: then }),
    else_branch: graph({ nodes: otherwise }),
  });

  test("If joins its branches, which read the values around them", () => {
    const inner = branches([node("Transpose", [["x"], ["t"]])], [node("Relu", [["x"], ["e"]])]);
    const nodes = [node("If", [["c"], ["y"]], inner)];
    expect(typeIn({ inputs: { c: cond, x: [3, "n"] }, nodes }, "y")).toBe("float32 [if_1, if_2]");
    expect(typeIn({ inputs: { c: cond, x: [3, 3] }, nodes }, "y")).toBe("float32 [3, 3]");
    const { graph: main } = inferShapes(model({ inputs: { c: cond, x: [3, "n"] }, nodes }));
    const bodies = [...main.bodies.values()].flat();
    expect(
      bodies.map(({ shapes }) =>
        [...shapes.values].map(([name, type]) => `${name}: ${text(type)}`),
      ),
    ).toEqual([["t: float32 [n, 3]"], ["e: float32 [3, n]"]]);
    const [body] = bodies;
    expect(body && text(typeOfValue(body.shapes, "x"))).toBe("float32 [3, n]");
  });

  test("a condition that follows from shapes decides, and the other branch may be at fault", () => {
    const squeeze = branches(
      [node("Squeeze", [["x", "last"], ["t"]])],
      [node("Identity", [["x"], ["e"]])],
    );
    const nodes = [
      node("Shape", [["x"], ["s"]], { start: 1, end: 2 }),
      node("Equal", [["s", "one"], ["is1"]]),
      node("Squeeze", [["is1", "first"], ["c"]]),
      node("If", [["c"], ["y"]], squeeze),
    ];
    const of = (last: number) => ({
      inputs: { x: ["n", last], one: ints([1]), last: ints([1]), first: ints([0]) },
      nodes,
    });
    expect(typeIn(of(1), "y")).toBe("float32 [n]");
    expect(typeIn(of(5), "y")).toBe("float32 [n, 5]");
    expect(faultsOf(of(5))).toEqual([]);
  });

  const loopOver = (body: readonly Node[], outputs: readonly string[]) =>
    graph({
      inputs: { i: { type: "int64", shape: [] }, go: cond, state: [] },
      nodes: body,
      outputs,
    });

  test("Loop stacks what each iteration gives, trip count times", () => {
    const body = loopOver(
      [node("Identity", [["go"], ["goOn"]]), node("Relu", [["state"], ["next"]])],
      ["goOn", "next", "next"],
    );
    const nodes = [
      node(
        "Loop",
        [
          ["trips", "", "x"],
          ["last", "all"],
        ],
        { body },
      ),
    ];
    const inputs = { trips: { type: "int64" as const, shape: [] }, x: [2, "n"] };
    expect(typeIn({ inputs, nodes }, "last")).toBe("float32 [2, n]");
    expect(typeIn({ inputs, nodes }, "all")).toBe("float32 [trips, 2, n]");
    expect(typeIn({ inputs: { ...inputs, trips: scalar(7) }, nodes }, "all")).toBe(
      "float32 [7, 2, n]",
    );
  });

  test("Loop finds the sizes that grow from one iteration to the next", () => {
    const body = loopOver(
      [
        node("Identity", [["go"], ["goOn"]]),
        node("Concat", [["state", "x"], ["next"]], { axis: 0 }),
      ],
      ["goOn", "next"],
    );
    const nodes = [node("Loop", [["trips", "", "x"], ["y"]], { body })];
    expect(typeIn({ inputs: { trips: scalar(3), x: [2, "n"] }, nodes }, "y")).toBe(
      "float32 [loop_1, n]",
    );
  });

  test("Loop that may stop early runs a number of times that only the run can tell", () => {
    const body = loopOver(
      [node("Less", [["i", "limit"], ["goOn"]]), node("Relu", [["state"], ["next"]])],
      ["goOn", "next", "next"],
    );
    const nodes = [
      node(
        "Loop",
        [
          ["trips", "", "x"],
          ["last", "all"],
        ],
        { body },
      ),
    ];
    const inputs = { trips: scalar(7), limit: { type: "int64" as const, shape: [] }, x: [2] };
    expect(typeIn({ inputs, nodes }, "all")).toBe("float32 [iterations_1, 2]");
  });

  test("Scan goes along the axes that it names", () => {
    const body = graph({
      inputs: { state: [3], step: [3] },
      nodes: [node("Add", [["state", "step"], ["next"]]), node("Identity", [["next"], ["out"]])],
      outputs: ["next", "out"],
    });
    const nodes = [
      node(
        "Scan",
        [
          ["s", "x"],
          ["last", "all"],
        ],
        { body, num_scan_inputs: 1, scan_input_axes: [1], scan_output_axes: [1] },
      ),
    ];
    expect(typeIn({ inputs: { s: [3], x: [3, "len"] }, nodes }, "last")).toBe("float32 [3]");
    expect(typeIn({ inputs: { s: [3], x: [3, "len"] }, nodes }, "all")).toBe("float32 [3, len]");
  });

  test("sequences carry what they hold", () => {
    const nodes = [
      node("SequenceConstruct", [["a", "b"], ["s"]]),
      node("SequenceAt", [["s", "zero"], ["y"]]),
      node("SplitToSequence", [["a"], ["pieces"]], { axis: 1, keepdims: 0 }),
      node("SequenceEmpty", [[], ["none"]]),
      node("SequenceInsert", [["none", "a"], ["one"]]),
    ];
    const of = { inputs: { a: ["n", 3], b: ["n", 3], zero: scalar(0) }, nodes };
    expect(typeIn(of, "y")).toBe("float32 [n, 3]");
    expect(typeIn(of, "pieces")).toBe("sequence of float32 [n]");
    expect(typeIn(of, "none")).toBe("sequence of nothing");
    expect(typeIn(of, "one")).toBe("sequence of float32 [n, 3]");
  });
});

describe("model-local functions", () => {
  const twice = (
    nodes: readonly Node[],
    over: Partial<FunctionDefinition> = {},
  ): FunctionDefinition => ({
    name: "Twice",
    domain: "mine",
    inputs: ["a"],
    outputs: ["out"],
    attributes: ["axis"],
    attributeDefaults: [],
    nodes,
    opsetImports: [
      { domain: "", version: 13n },
      { domain: "mine", version: 1n },
    ],
    valueInfos: [],
    metadata: [],
    ...over,
  });
  const concat: Node = {
    ...node("Concat", [["a", "a"], ["out"]]),
    attributes: [{ name: "axis", kind: "reference", value: "axis", type: 2 }],
  };
  const caller: Model = model({
    inputs: { x: ["n", 3] },
    nodes: [
      node("Twice", [["x"], ["y"]], { axis: 1 }, "mine"),
      node("Twice", [["x"], ["z"]], { axis: 0 }, "mine"),
    ],
  });

  test("are inferred at each call, with its attributes", () => {
    const { graph: main, faults } = inferShapes({ ...caller, functions: [twice([concat])] });
    expect([text(main.values.get("y")), text(main.values.get("z"))]).toEqual([
      "float32 [n, 6]",
      "float32 [2*n, 3]",
    ]);
    expect(
      [...main.bodies.values()].flat().map(({ shapes }) => text(shapes.values.get("out"))),
    ).toEqual(["float32 [n, 6]", "float32 [2*n, 3]"]);
    expect(faults).toEqual([]);
  });

  test("that call themselves end", () => {
    const endless = twice([
      node("Twice", [["a"], ["b"]], {}, "mine"),
      node("Twice", [["b"], ["out"]], {}, "mine"),
    ]);
    const { graph: main, uninferred } = inferShapes({ ...caller, functions: [endless] });
    expect(main.values.get("y")).toEqual({ kind: "other" });
    expect(uninferred.length).toBeGreaterThan(0);
  });
});

describe("what is chosen and what the file states", () => {
  const nodes = [node("Add", [["a", "b"], ["y"]]), node("Mine", [["y"], ["z"]], {}, "custom")];
  const inputs = { a: ["batch", 3], b: ["batch", 1] };

  test("a chosen size holds wherever its name stands", () => {
    expect(typeIn({ inputs, nodes }, "y", { inputs: { a: [2, 3] } })).toBe("float32 [2, 3]");
    expect(typeIn({ inputs, nodes }, "b", { inputs: { a: [2, 3] } })).toBe("float32 [2, 1]");
    expect(typeIn({ inputs, nodes }, "y", { inputs: { a: ["rows", 3] } })).toBe(
      "float32 [rows, 3]",
    );
  });

  test("choices that do not fit the model are the caller's error", () => {
    expect(() => typeIn({ inputs, nodes }, "y", { inputs: { c: [1] } })).toThrow('no input "c"');
    expect(() => typeIn({ inputs, nodes }, "y", { inputs: { a: [1] } })).toThrow(
      "1 sizes are given",
    );
  });

  test("an unknown operator is listed, and what the file states of its outputs is taken", () => {
    const plain = model({ inputs, nodes });
    expect(inferShapes(plain).uninferred.map(({ where, reason }) => [where, reason])).toEqual([
      ["graph.node[1]", "unknown operator custom.Mine"],
    ]);
    const stated = graph({ inputs: { z: ["batch", 7] }, nodes: [] }).inputs;
    const typed: Model = { ...plain, graph: { ...graph({ inputs, nodes }), valueInfos: stated } };
    expect(typeIn(typed, "z")).toBe("float32 [batch, 7]");
    expect(inferShapes(typed).uninferred).toEqual([]);
  });

  test("a file that states another size than follows is at fault", () => {
    const stated = graph({ inputs: { y: ["batch", 4] }, nodes: [] }).inputs;
    const { faults } = inferShapes({
      ...model({ inputs, nodes }),
      graph: { ...graph({ inputs, nodes }), valueInfos: stated },
    });
    expect(faults.map(({ message }) => message)).toEqual([
      'Add: "y" has shape [batch, 3], the file says [batch, 4] (at graph.node[0])',
    ]);
  });
});

describe("faults name the node, the values and the sizes", () => {
  test.each<[string, SmallGraph, string]>([
    [
      "broadcast",
      { inputs: { a: [2, 3], b: [2, 4] }, nodes: [node("Add", [["a", "b"], ["y"]])] },
      "Add: [2, 3] and [2, 4] do not broadcast",
    ],
    [
      "inner sizes",
      { inputs: { a: [2, 3], b: [4, 5] }, nodes: [node("MatMul", [["a", "b"], ["y"]])] },
      "inner sizes of [2, 3] and [4, 5]: 3 and 4",
    ],
    [
      "channels",
      { inputs: { x: [1, 3, 8, 8], w: [4, 5, 3, 3] }, nodes: [node("Conv", [["x", "w"], ["y"]])] },
      "channels of data and weights: 3 and 5",
    ],
    [
      "rank",
      { inputs: { x: [1, 3, 8], w: [4, 3, 3, 3] }, nodes: [node("Conv", [["x", "w"], ["y"]])] },
      '"w" has shape [4, 3, 3, 3], rank 3 is needed',
    ],
    [
      "axis",
      { inputs: { x: [1, 3] }, nodes: [node("Concat", [["x", "x"], ["y"]], { axis: 2 })] },
      "axis 2 of a tensor of rank 2",
    ],
    [
      "reshape",
      { inputs: { x: ["n", 3], t: ints([-1, -1]) }, nodes: [node("Reshape", [["x", "t"], ["y"]])] },
      "[-1, -1] has more than one -1",
    ],
    [
      "elements",
      { inputs: { x: [2, 3], t: ints([4, -1]) }, nodes: [node("Reshape", [["x", "t"], ["y"]])] },
      "[2, 3] does not divide into [4, -1]",
    ],
    [
      "reshape of nothing",
      {
        inputs: { x: [0, 3], t: ints([0, -1]) },
        nodes: [node("Reshape", [["x", "t"], ["y"]])],
      },
      "the -1 of [0, -1] stands beside a size of 0",
    ],
    [
      "squeeze",
      { inputs: { x: [2, 3], t: ints([0]) }, nodes: [node("Squeeze", [["x", "t"], ["y"]])] },
      "axis 0 of [2, 3] is not 1",
    ],
    [
      "undefined input",
      { inputs: {}, nodes: [node("Relu", [["nowhere"], ["y"]])] },
      'it reads "nowhere", which nothing before it gives',
    ],
    [
      "cycle",
      { inputs: {}, nodes: [node("Relu", [["b"], ["a"]]), node("Relu", [["a"], ["b"]])] },
      'it reads "b", which nothing before it gives',
    ],
    [
      "negative size",
      { inputs: { x: [3], p: ints([-2, -2]) }, nodes: [node("Pad", [["x", "p"], ["y"]])] },
      "axis 0 has -1 elements",
    ],
    [
      "kernel",
      { inputs: { x: [1, 1, 2], w: [1, 1, 9] }, nodes: [node("Conv", [["x", "w"], ["y"]])] },
      "a kernel spanning 9 does not fit 2 elements of axis 0",
    ],
    [
      "stride",
      {
        inputs: { x: [1, 1, 2], w: [1, 1, 1] },
        nodes: [node("Conv", [["x", "w"], ["y"]], { strides: [0] })],
      },
      "a stride or dilation of 0",
    ],
  ])("%s", (_, of, message) => {
    const faults = faultsOf(of);
    expect(faults[0]).toContain(message);
    expect(faults[0]).toContain("graph.node[0]");
  });
});
