// Manifests against the schema that Kubernetes publishes (OpenAPI v1, as `kubernetes-models` compiles it).

import { Job } from "kubernetes-models/batch/v1";
import { describe, expect, test } from "vitest";
import { sampleJob } from "../../../test/sample-job.ts";
import { kubernetesJob } from "./kubernetes.ts";

const OPTIONS = { image: "registry.example.org/train:1.2", gpuResource: "nvidia.com/gpu" };

const checked = (...of: Parameters<typeof kubernetesJob>) => {
  const { manifest, notices } = kubernetesJob(...of);
  const plain = JSON.parse(JSON.stringify(manifest));
  const job = new Job(plain);
  job.validate();
  return { job, plain, notices };
};

describe("a job as a Kubernetes Job", () => {
  test("is suspended, with its command word by word", () => {
    const { job, notices } = checked(
      sampleJob({ command: ["sh", "-c", "echo $(x) $$ $1"] }),
      OPTIONS,
    );
    expect(job.spec?.suspend).toBe(true);
    expect(job.spec?.backoffLimit).toBe(0);
    expect(job.spec?.template.spec?.containers[0]?.command).toEqual([
      ...["sh", "-c", "echo $$(x) $$$$ $$1"],
    ]);
    expect(job.metadata?.labels).not.toHaveProperty("kueue.x-k8s.io/queue-name");
    expect(notices.join("\n")).toMatch(/Not exercised on a cluster/);
    expect(notices.join("\n")).toMatch(/"suspend":false/);
  });

  test("asks for what it needs, and names Kueue's queue", () => {
    const resources = { cpus: 0.5, memoryBytes: 2 ** 30, gpus: 2, nodes: 1 };
    const { job, notices } = checked(sampleJob({ resources }), {
      ...OPTIONS,
      queue: "ml",
      namespace: "team-a",
    });
    expect(job.metadata).toMatchObject({
      namespace: "team-a",
      labels: { "kueue.x-k8s.io/queue-name": "ml" },
    });
    expect(job.spec?.template.spec?.containers[0]?.resources).toEqual({
      requests: { cpu: "500m", memory: "1073741824", "nvidia.com/gpu": "2" },
      limits: { memory: "1073741824", "nvidia.com/gpu": "2" },
    });
    expect(notices.join("\n")).toMatch(/stopPolicy/);
  });

  test.each([
    "",
    "---",
    "Ünïcode & <script>",
    "a".repeat(300),
    "train.py --epochs 3\n; rm -rf /",
    "-x-",
  ])("takes the name %j as far as Kubernetes does", (name) => {
    const { job } = checked(sampleJob({ name }), OPTIONS);
    expect(job.metadata?.name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
    expect(job.metadata?.name?.length).toBeLessThanOrEqual(63);
  });

  test("refuses names that Kubernetes would", () => {
    expect(() => kubernetesJob(sampleJob(), { ...OPTIONS, queue: "My Queue" })).toThrow(/--queue/);
    expect(() => kubernetesJob(sampleJob(), { ...OPTIONS, image: "x; y" })).toThrow(/--image/);
    expect(() => kubernetesJob(sampleJob(), { ...OPTIONS, gpuResource: "gpu" })).toThrow(
      /--gpu-resource/,
    );
  });

  test("the schema would not take anything", () => {
    const { plain } = checked(sampleJob(), OPTIONS);
    plain.spec.template.spec.containers[0].command = "sh";
    expect(() => new Job(plain).validate()).toThrow(/command/);
  });
});
