import { expect, test } from "vitest";
import { markNested, placeOf } from "./leader.ts";

const place = (env: Record<string, string>) => placeOf({ env }, "here");

test("a process that no launcher started is alone", () => {
  expect(place({})).toEqual({ kind: "alone" });
});

test("the first rank of every launcher leads; a rank of any of them does not", () => {
  expect(place({ SLURM_LOCALID: "0", LOCAL_RANK: "0" }).kind).toBe("leader");
  // One torchrun a node under srun: the node's leader is torchrun's first.
  expect(place({ SLURM_LOCALID: "0", LOCAL_RANK: "3" }).kind).toBe("rank");
  // One torchrun of one process a task under srun.
  expect(place({ SLURM_LOCALID: "2", LOCAL_RANK: "0" }).kind).toBe("rank");
  expect(place({ OMPI_COMM_WORLD_LOCAL_RANK: "1" }).kind).toBe("rank");
});

test("a rank whose variable is no number is none", () => {
  expect(place({ LOCAL_RANK: "first" })).toEqual({ kind: "alone" });
});

test("ranks with GPUs of their own count them", () => {
  expect(place({ SLURM_LOCALID: "1" })).toMatchObject({ ownsGpus: false });
  expect(place({ SLURM_LOCALID: "1", SLURM_GPUS_PER_TASK: "1" })).toMatchObject({ ownsGpus: true });
  const byResource = { SLURM_LOCALID: "1", SLURM_TRES_PER_TASK: "cpu=4,gres/gpu=1" };
  expect(place(byResource)).toMatchObject({ ownsGpus: true });
});

test("what marks a nested run is read back on the same machine alone", () => {
  const mark = markNested("run-1", "here");
  expect(placeOf({ env: mark }, "here")).toMatchObject({ kind: "nested", parent: "run-1" });
  expect(placeOf({ env: mark }, "there")).toEqual({ kind: "alone" });
});

test("inside another run a rank is counted by that run", () => {
  expect(place({ ...markNested("run-1", "here"), LOCAL_RANK: "1" }).kind).toBe("nested");
});
