import { describe, expect, it } from "vitest";
import { modelFile, modelNames } from "../../../test/shared-data.ts";
import { openModelFile, profileModel } from "../../engine/index.ts";
import { type CountOptions, countModel, type ModelCount, nodesIn, numberOf } from "./index.ts";

function count(file: string, options: CountOptions = {}): ModelCount {
  const opened = openModelFile(modelFile(file));
  try {
    return countModel(opened.model, { external: opened.external, ...options });
  } finally {
    opened.close();
  }
}

const macsOf = ({ entries }: ModelCount, ...operators: readonly string[]): number =>
  [...nodesIn(entries)]
    .filter(({ operator }) => operators.includes(operator))
    .reduce((sum, { macs }) => sum + Number(macs), 0);

/** Total of a model without open sizes. */
const totalMacs = ({ totals }: ModelCount): number | null =>
  totals.macs === null ? null : numberOf(totals.macs);

// Counts of these files at these sizes, made from shapes that ONNX Runtime reported.
describe.skipIf(modelNames.length === 0)("real models", () => {
  it.each([
    ["basic_pitch_nmp.onnx", { "serving_default_input_2:0": [1, 43_844, 1] }, 35_740, 524_079_648],
    ["ch_ppocr_mobile_v2.0_cls_infer.onnx", { x: [1, 3, 48, 192] }, 133_664, 16_315_376],
    ["light_densenet121.onnx", undefined, 8_146_152, 2_834_161_664],
    ["light_resnet50.onnx", undefined, 25_610_153, 4_089_184_256],
    ["light_squeezenet.onnx", undefined, 1_235_496, 349_151_936],
    ["light_vgg19.onnx", undefined, 143_667_240, 19_632_062_464],
    ["magika_standard_v3_3.onnx", { bytes: [1, 2048] }, 784_223, 366_717_952],
    ["mnist_8.onnx", undefined, 5_994, 786_560],
    ["super_resolution_10.onnx", { input: [1, 1, 224, 224] }, 59_657, 2_984_869_888],
    ["ultraface_rfb_320.onnx", undefined, 307_624, 100_418_560],
  ])("counts all of %s", (file, inputs, parameters, macs) => {
    const counted = count(file, inputs === undefined ? {} : { inputs });
    expect(counted.uncounted).toEqual([]);
    expect(counted.symbols).toEqual([]);
    expect([counted.parameters.total, totalMacs(counted)]).toEqual([parameters, macs]);
  });

  it("knows the parameters of ResNet-50 that are trained", () => {
    // torchvision, `resnet50`: 25,557,032. The file also has a tensor that nothing reads.
    const { parameters } = count("light_resnet50.onnx");
    expect(parameters).toMatchObject({ trainable: 25_557_032, buffer: 53_120, dead: 1 });
  });

  it("counts what ONNX Runtime computes in the text recogniser", async () => {
    const file = "ch_PP-OCRv4_rec_infer.onnx";
    const counted = count(file, { inputs: { x: [1, 3, 48, 320] } });
    expect(counted.parameters.total).toBe(2_690_296);
    expect(counted.uncounted).toEqual([]);
    const image = new Float32Array(3 * 48 * 320);
    const { nodes } = await profileModel(
      modelFile(file),
      { x: { dataType: "float32", dims: [1, 3, 48, 320], data: image } },
      { optimisation: "none", runs: 1, warmUp: 0, threads: 1 },
    );
    const sizes = (text = ""): readonly number[] => JSON.parse(text.slice(text.indexOf("[")));
    const size = (of: readonly number[]): number => of.reduce((product, one) => product * one, 1);
    const ran = (operator: string, depth: (inputs: readonly string[]) => number): number =>
      nodes
        .filter((node) => node.operator === operator)
        .reduce((sum, { inputs, outputs }) => sum + size(sizes(outputs[0])) * depth(inputs), 0);
    expect(macsOf(counted, "Conv")).toBe(ran("Conv", ([, w]) => size(sizes(w).slice(1))));
    expect(macsOf(counted, "MatMul")).toBe(ran("MatMul", ([a]) => sizes(a).at(-1) ?? 0));
    expect(totalMacs(counted)).toBe(660_685_440 + 41_784_000);
  });

  it("counts the GRUs of the speech enhancer beside its convolutions", () => {
    const counted = count("gtcrn_stream.onnx");
    expect(counted.parameters.total).toBe(48_228);
    expect(macsOf(counted, "Conv", "ConvTranspose", "MatMul")).toBe(401_360);
    // 14 GRUs: 16 bands at a time through 2 x 8 units, and the one-step ones.
    expect(totalMacs(counted)).toBe(401_360 + macsOf(counted, "GRU"));
    expect(macsOf(counted, "GRU")).toBe(95_616);
  });

  it("counts one branch of the voice detector when the rate is known, else both", () => {
    const inputs = { input: [1, 576], state: [2, 1, 128], sr: [] };
    const open = count("silero_vad_v5.onnx", { inputs });
    const known = count("silero_vad_v5.onnx", { inputs, values: { sr: [16_000] } });
    expect(known.parameters.total + known.parameters.index).toBeGreaterThanOrEqual(545_597);
    expect(totalMacs(known)).not.toBeNull();
    expect(totalMacs(open)).toBeNull();
    expect(Number(open.totals.macs?.most)).toBeGreaterThanOrEqual(Number(totalMacs(known)));
  });

  it("keeps the sizes of a decoder as symbols until they are chosen", () => {
    const open = count("tiny_random_gpt2_past.onnx");
    expect(open.parameters.total).toBe(142_112);
    expect(open.symbols).toContain("past_seq_len");
    const past = Object.fromEntries(
      [0, 1, 2, 3, 4].map((layer) => [`past_${layer}`, [2, 1, 4, 7, 8]]),
    );
    const chosen = count("tiny_random_gpt2_past.onnx", {
      inputs: { input_ids: [1, 1], position_ids: [1, 1], attention_mask: [1, 8], ...past },
    });
    // 320 past*seq + 320 seq^2 + 93,440 seq.
    expect(totalMacs(chosen)).toBe(320 * 7 + 320 + 93_440);
    // Five layers of 2 x 4 heads x 8 numbers, 8 tokens, 4 bytes.
    expect(chosen.cache).toEqual({ bytes: 5 * 64 * 8 * 4, bytesPerToken: 5 * 64 * 4, tensors: 5 });
  });
});
