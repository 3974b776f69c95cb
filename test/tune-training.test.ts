// `godwit tune-training` from the command line to its end, on a stand-in for nvidia-smi and a training that is
// slower under a lower limit.

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runProgram } from "../src/cli/program.ts";
import { createNodeHost } from "../src/core/host/node-host.ts";
import { createSession } from "./cli-session.ts";

const SMI = `#!/bin/sh
case "$*" in
  *-pl*) for last; do :; done; echo "$last" >"$FAKE_GPU"; echo "$last" >>"$FAKE_GPU.log";;
  *) limit=$(cat "$FAKE_GPU"); echo "0, $limit, 100.00, 300.00, $((limit - 10))";;
esac
`;

/** Steps of 60 ms at 300 and 200 W, of 300 ms at 100 W; the batch size stands in every line. */
const TRAIN = `#!/bin/sh
step=0
while [ $step -lt 30 ]; do
  step=$((step + 1))
  if [ "$(cat "$FAKE_GPU")" -lt 200 ]; then sleep 0.3; else sleep 0.06; fi
  echo "step $step batch $1"
done
echo "acc=0.95"
`;

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "godwit-tune-"));
  const script = (name: string, text: string): void => {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  };
  script("nvidia-smi", SMI);
  script("train.sh", TRAIN);
  writeFileSync(join(folder, "gpu"), "300\n");
  path = process.env["PATH"] ?? "";
  // The stand-in is found as the real one would be.
  process.env["PATH"] = `${folder}:${path}`;
  process.env["FAKE_GPU"] = join(folder, "gpu");
});
afterEach(() => {
  process.env["PATH"] = path;
  delete process.env["FAKE_GPU"];
  rmSync(folder, { recursive: true, force: true });
});

async function godwit(...args: readonly string[]) {
  const env = { ...process.env, XDG_STATE_HOME: join(folder, "state"), GODWIT_LOCATION: "DE" };
  const { context, printed } = createSession({ cwd: folder, env: env as Record<string, string> });
  const code = await runProgram({ ...context, host: createNodeHost() }, ["tune-training", ...args]);
  return {
    code,
    out: Buffer.concat(printed.out).toString(),
    err: Buffer.concat(printed.err).toString(),
  };
}

const OPTIONS = [
  ...["--batch", "16,32", "--power-limit", "300W,200W,100W", "--progress-pattern", "step \\d+"],
  ...["--slice", "400ms", "--eta", "1", "--metric-pattern", "acc=([\\d.]+)", "--target", "0.9"],
];

test.skipIf(process.platform === "win32")(
  "profiles the limits, keeps the best, puts them back, and remembers",
  async () => {
    const answer = await godwit(...OPTIONS, "--json", "--", join(folder, "train.sh"), "{batch}");
    expect(answer.err).toMatch(/unverified on hardware/);
    expect(answer.code, answer.err).toBe(0);
    const { runs, front } = JSON.parse(answer.out);
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({ batch: 32, limit_w: 200, reached: true });
    // Mean powers over slices of real time, whose ends a busy machine moves by a sample.
    const watts = runs[0].profiles.map((one: { watts: number }) => one.watts);
    expect(watts).toHaveLength(3);
    for (const [index, expected] of [290, 190, 90].entries()) {
      expect(Math.abs(watts[index] - expected)).toBeLessThan(30);
    }
    expect(front).toHaveLength(1);
    // Profiled from the highest down, then held at the best, then as it was.
    const set = readFileSync(join(folder, "gpu.log"), "utf8").trim().split("\n").map(Number);
    expect(set).toEqual([300, 200, 100, 200, 300]);
    const next = await godwit(...OPTIONS, "--dry-run", "--", join(folder, "train.sh"), "{batch}");
    expect(next.out).toContain('train.sh" "16"');
    expect(next.out).toContain("nvidia-smi -i 0 -pl 100");
    expect(readFileSync(join(folder, "gpu.log"), "utf8").trim().split("\n")).toHaveLength(5);
  },
);

test.skipIf(process.platform === "win32")(
  "a run that costs too much is stopped, and the limits are as they were",
  async () => {
    const usual = ["--batch", "16,32", "--eta", "0", "--most-power", "300W"] as const;
    const target = [
      "--metric-pattern",
      "acc=([\\d.]+)",
      "--target",
      "0.9",
      "--beta",
      "1.2",
    ] as const;
    const script = 'test "$1" = 16 && sleep 20; sleep 1; echo acc=0.95';
    const command = ["--times", "2", "--", "sh", "-c", script, "sh", "{batch}"];
    const answer = await godwit(...usual, ...target, ...command);
    expect(answer.err).toMatch(/costs more than it may/);
    expect(answer.err).toMatch(/did not reach its target/);
    expect(readFileSync(join(folder, "gpu"), "utf8")).toBe("300\n");
  },
);

test.each([
  [["--batch", "16", "--", "train"], /where do they go/],
  [["--batch", "16,16", "--", "t", "{batch}"], /stands twice/],
  [["--batch", "16", "--target", "1", "--", "t", "{batch}"], /belong together/],
  [["--batch", "16", "--power-limit", "1W,2W", "--", "t", "{batch}"], /how is progress told/],
  [["--batch", "16", "--", "t", "{batch}"], /what does a second cost/],
  [["--batch", "16", "--power-limit", "500W", "--", "t", "{batch}"], /takes 100 to 300 W/],
  [["--batch", "16", "--default", "8", "--", "t", "{batch}"], /not among/],
])("refuses %j", async (args, like) => {
  const answer = await godwit(...args);
  expect(answer.code).toBe(2);
  expect(answer.err).toMatch(like);
});
