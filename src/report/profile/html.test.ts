import { describe, expect, it } from "vitest";
import { netOfOneImage } from "../../../test/net-of-one-image.ts";
import { single } from "../../../test/small-model.ts";
import { countModel, rowsOf } from "../../measure/profile/index.ts";
import { icicleChart } from "../charts/icicle.ts";
import { rooflineChart } from "../charts/roofline.ts";
import { profileHtml } from "./html.ts";

const view = { by: "op", sort: "flops", top: 10 } as const;

describe("the page of a profile", () => {
  it("is one file without scripts that says the answer", () => {
    const count = countModel(netOfOneImage("squeezenet-1.1", { size: 224 }));
    const page = profileHtml(count, { file: "nets/squeezenet.onnx", rows: rowsOf(count, view) });
    expect(page).toContain("<h1>squeezenet.onnx</h1>");
    expect(page).toContain("1,235,496");
    expect(page).toContain("349 MMAC");
    expect(page).not.toContain("<script");
    expect(page).not.toMatch(/(?:src|href)="(?!data:)/);
  });

  it("does not let a model's names become markup", () => {
    const model = single("Relu", { "<b onclick=x>": [4] });
    const count = countModel(model);
    const page = profileHtml(count, { file: "<i>.onnx", rows: rowsOf(count, view) });
    expect(page).not.toContain("<b onclick");
    expect(page).not.toContain("<i>");
  });
});

describe("charts", () => {
  it("makes a part as wide as its share and says the largest in words", () => {
    const leaf = (label: string, value: number) => ({ label, value, children: [] });
    const root = { label: "all", value: 4, children: [leaf("conv", 3), leaf("fc", 1)] };
    const svg = icicleChart({ title: "FLOP", measure: "FLOP", root }, { id: "a", width: 402 });
    expect(svg).toContain('width="300"');
    expect(svg).toContain("conv: 75.0 %. fc: 25.0 %.");
    expect(svg).toContain('role="img"');
  });

  it("draws the ridge where both limits meet, and leaves out points without a place", () => {
    const svg = rooflineChart(
      {
        title: "roof",
        peak: 1e12,
        bandwidth: 1e11,
        points: [
          { label: "conv", intensity: 100, rate: 5e11, share: 0.5 },
          { label: "move", intensity: 0, rate: 0, share: 0.5 },
        ],
      },
      { id: "r", width: 600, height: 400 },
    );
    expect(svg.match(/<circle/g)).toHaveLength(1);
    expect(svg).toContain(
      "The roof is 1 TFLOP/s and 100 GB/s. conv: 500 GFLOP/s at 100 FLOP a byte.",
    );
  });
});
