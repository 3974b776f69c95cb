// Operators that move, view, make or choose data and compute nothing that counts.

/** Their output is their input in other words: no byte is moved. */
const VIEWS =
  "Reshape Squeeze Unsqueeze Flatten Identity Dropout Shape Size OptionalHasElement BitCast ExpandDims";

const MOVES =
  "Cast CastLike Concat Split Slice Gather GatherElements GatherND Scatter ScatterElements ScatterND TensorScatter " +
  "Transpose Pad Tile Expand DepthToSpace SpaceToDepth Where Compress Trilu ReverseSequence OneHot EyeLike Range " +
  "CenterCropPad Col2Im MaxUnpool Constant ConstantOfShape NonZero " +
  "SequenceConstruct SequenceEmpty SequenceAt SequenceInsert SequenceErase SequenceLength SplitToSequence " +
  "ConcatFromSequence Optional OptionalGetElement " +
  "RandomNormal RandomNormalLike RandomUniform RandomUniformLike Bernoulli Multinomial " +
  "QLinearConcat QLinearWhere";

/** Operators without work, of ai.onnx and com.microsoft alike. */
export const MOVED: ReadonlySet<string> = new Set(`${VIEWS} ${MOVES}`.split(" "));

export const VIEWED: ReadonlySet<string> = new Set(VIEWS.split(" "));

/** Made before the run: they neither read nor write when it runs. */
export const MADE_BEFORE: ReadonlySet<string> = new Set(["Constant"]);

/** Read so much of their data as they give out, not all of it. */
export const PICKING: ReadonlySet<string> = new Set(
  "Gather GatherElements GatherND Slice SequenceAt Compress".split(" "),
);
