import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { selectAmdGpus, selectNvidiaGpus } from "./gpu-selection.ts";

const A100 = "NVIDIA A100-SXM4-40GB";
const gpus = [
  { index: 0, uuid: "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6", name: A100 },
  { index: 1, uuid: "GPU-8932aaaa-0000-4106-c12f-20bd9faed9f7", name: A100 },
  {
    index: 2,
    uuid: "GPU-1111f937-d72c-4106-c12f-20bd9faed9f8",
    name: A100,
    migUuids: ["MIG-c6d4f1ef"],
  },
];
const cuda = (CUDA_VISIBLE_DEVICES: string) =>
  selectNvidiaGpus(gpus, { CUDA_VISIBLE_DEVICES }).gpus.map(({ index }) => index);

describe("CUDA_VISIBLE_DEVICES, as the CUDA C++ Programming Guide describes it", () => {
  test.each([
    ["0", [0]],
    ["2,1", [1, 2]],
    [" 1 , 2 ", [1, 2]],
    // The guide's own example: "0,2,-1,1 causes devices 0 and 2 to be visible and device 1 not".
    ["0,2,-1,1", [0, 2]],
    ["-1", []],
    ["", []],
    ["7", []],
    ["0,7,1", [0]],
    ["NoDevFiles", []],
    ["garbage,0", []],
    ["0,0", [0]],
    // The guide's own example of an abbreviated UUID.
    ["GPU-8932f937", [0]],
    ["GPU-8932f937-d72c-4106-c12f-20bd9faed9f6", [0]],
    ["gpu-1111", [2]],
    // Two boards begin like this: an ambiguous name is no name.
    ["GPU-8932", []],
    ["GPU-", []],
    ["MIG-c6d4f1ef", [2]],
    ["MIG-unknown", []],
    ["MIG-GPU-1111f937-d72c-4106-c12f-20bd9faed9f8/1/0", [2]],
  ])("%j selects %j", (list, expected) => {
    expect(cuda(list)).toEqual(expected);
  });

  test("unset, it selects all", () => {
    expect(selectNvidiaGpus(gpus, {})).toEqual({ gpus, notes: [] });
  });

  test("an entry that names no GPU is said aloud", () => {
    const { notes } = selectNvidiaGpus(gpus, { CUDA_VISIBLE_DEVICES: "0,banana" });
    expect(notes.join()).toContain('"banana" names no GPU');
    expect(notes.join()).toContain("hides 2 of 3");
  });

  test("any text selects a subset without repetition", () => {
    fc.assert(
      fc.property(fc.string(), (list) => {
        const chosen = cuda(list);
        expect(new Set(chosen).size).toBe(chosen.length);
        expect(chosen.every((index) => index >= 0 && index < gpus.length)).toBe(true);
      }),
    );
  });

  test("indices among unlike GPUs are doubted unless CUDA counts as the driver does", () => {
    const mixed = [...gpus, { index: 3, uuid: "GPU-22", name: "NVIDIA T400" }];
    const env = { CUDA_VISIBLE_DEVICES: "0" };
    expect(selectNvidiaGpus(mixed, env).notes.join()).toContain("CUDA_DEVICE_ORDER");
    const ordered = selectNvidiaGpus(mixed, { ...env, CUDA_DEVICE_ORDER: "PCI_BUS_ID" });
    expect(ordered.notes.join()).not.toContain("CUDA_DEVICE_ORDER");
  });
});

describe("what containers and Slurm say", () => {
  const indices = (env: Record<string, string>) =>
    selectNvidiaGpus(gpus, env).gpus.map(({ index }) => index);

  test("indices of NVIDIA_VISIBLE_DEVICES are the host's and were applied by the runtime", () => {
    expect(indices({ NVIDIA_VISIBLE_DEVICES: "5" })).toEqual([0, 1, 2]);
    expect(indices({ NVIDIA_VISIBLE_DEVICES: "all" })).toEqual([0, 1, 2]);
    expect(indices({ NVIDIA_VISIBLE_DEVICES: "void" })).toEqual([0, 1, 2]);
  });

  test("its UUIDs mean the same inside and outside, and CUDA chooses among them", () => {
    expect(indices({ NVIDIA_VISIBLE_DEVICES: "GPU-1111f937" })).toEqual([2]);
    const both = { NVIDIA_VISIBLE_DEVICES: "GPU-1111f937", CUDA_VISIBLE_DEVICES: "-1" };
    expect(indices(both)).toEqual([]);
  });

  test("Slurm's numbers choose where the whole node is visible", () => {
    expect(indices({ SLURM_JOB_GPUS: "0-1" })).toEqual([0, 1]);
    expect(indices({ SLURM_JOB_GPUS: "0-1", SLURM_STEP_GPUS: "1" })).toEqual([1]);
  });

  test("Slurm's numbers are the node's: a constrained job is not cut down twice", () => {
    expect(indices({ SLURM_JOB_GPUS: "4,5,6" })).toEqual([0, 1, 2]);
    expect(indices({ SLURM_JOB_GPUS: "7" })).toEqual([0, 1, 2]);
  });

  test("CUDA_VISIBLE_DEVICES is what the program obeys, whatever Slurm says", () => {
    expect(indices({ SLURM_JOB_GPUS: "0", CUDA_VISIBLE_DEVICES: "2" })).toEqual([2]);
  });
});

describe("AMD, as ROCm's GPU isolation techniques describe it", () => {
  const indices = (env: Record<string, string>) =>
    selectAmdGpus(gpus, env).gpus.map(({ index }) => index);

  test.each([
    [{}, [0, 1, 2]],
    [{ ROCR_VISIBLE_DEVICES: "0,GPU-1111f937" }, [0, 2]],
    [{ HIP_VISIBLE_DEVICES: "1" }, [1]],
    [{ CUDA_VISIBLE_DEVICES: "2" }, [2]],
    [{ HIP_VISIBLE_DEVICES: "1", CUDA_VISIBLE_DEVICES: "2" }, [1]],
    [{ ROCR_VISIBLE_DEVICES: "" }, []],
  ])("%j selects %j", (env, expected) => {
    expect(indices(env as Record<string, string>)).toEqual(expected);
  });

  test("HIP counts among what ROCR left, in ROCR's order", () => {
    expect(indices({ ROCR_VISIBLE_DEVICES: "2,0", HIP_VISIBLE_DEVICES: "0" })).toEqual([2]);
    expect(indices({ ROCR_VISIBLE_DEVICES: "1,2", HIP_VISIBLE_DEVICES: "1" })).toEqual([2]);
  });
});
