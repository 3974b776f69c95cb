// A job of the queue as a Kubernetes manifest: a suspended batch/v1 Job (KEP-2232), with the label by which Kueue
// takes it. Not exercised on a cluster; checked against the published schema.

import { UserError } from "../../core/index.ts";
import { type JobRecord, planOf } from "../../systems/schedule/jobs/index.ts";

export interface KubernetesOptions {
  readonly image: string;
  readonly namespace?: string | undefined;
  /** Kueue's LocalQueue. */
  readonly queue?: string | undefined;
  /** How the cluster spells GPUs. */
  readonly gpuResource: string;
}

export interface KubernetesManifest {
  readonly manifest: Readonly<Record<string, unknown>>;
  /** How it is let go at the planned time, and what the manifest does not hold. */
  readonly notices: readonly string[];
}

/** DNS label, RFC 1123. */
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** The manifest of a job. Throws UserError for names that Kubernetes would refuse. */
export function kubernetesJob(job: JobRecord, options: KubernetesOptions): KubernetesManifest {
  requireNames(options);
  const { image, namespace, queue } = options;
  const name = nameOf(job);
  const own = planOf(job);
  const utc = (moment: number): string => new Date(moment * 1000).toISOString();
  const start = utc(own.runs[0]?.start ?? job.job.earliest);
  const manifest = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: {
        "app.kubernetes.io/name": name,
        ...(queue === undefined ? {} : { "kueue.x-k8s.io/queue-name": queue }),
      },
      annotations: {
        "godwit/job": job.id,
        "godwit/planned-start": start,
        "godwit/latest-start": utc(own.latestStart),
        "godwit/deadline": utc(job.job.deadline),
        "godwit/signal": `${job.forecast.zone} ${job.forecast.kind} ${job.forecast.basis}`,
      },
    },
    spec: {
      suspend: true,
      ...{
        parallelism: 1,
        completions: 1,
        backoffLimit: job.pausing?.kind === "checkpoint" ? 6 : 0,
      },
      template: {
        metadata: { labels: { "app.kubernetes.io/name": name } },
        spec: {
          restartPolicy: "Never",
          containers: [
            {
              name: "job",
              image,
              command: job.command.map(literally),
              resources: resourcesOf(job, options),
            },
          ],
        },
      },
    },
  };
  return { manifest, notices: noticesOf(job, { name, start, options }) };
}

/** Kubernetes reads `$(NAME)` and `$$` in a command; a doubled sign stands for itself (core/v1, Container). */
const literally = (word: string): string => word.replaceAll("$", "$$$$");

function requireNames({ image, namespace, queue, gpuResource }: KubernetesOptions): void {
  for (const [option, value] of [
    ["--namespace", namespace],
    ["--queue", queue],
  ] as const)
    if (value !== undefined && !LABEL.test(value))
      throw new UserError(
        "usage",
        `${option}: ${JSON.stringify(value)} is no name that Kubernetes takes`,
        {
          hint: "Lower-case letters, digits and dashes, 63 at most.",
        },
      );
  if (!/^[\w][\w.\-/:@]*$/.test(image))
    throw new UserError("usage", `--image: ${JSON.stringify(image)} is no image`, {
      hint: "Such as registry.example.org/train:1.2.",
    });
  if (!/^[a-z0-9.-]+\/[A-Za-z0-9._-]+$/.test(gpuResource))
    throw new UserError("usage", `--gpu-resource: ${JSON.stringify(gpuResource)} is no resource`, {
      hint: "Such as nvidia.com/gpu or amd.com/gpu.",
    });
}

/** The job's name as far as Kubernetes takes it, and the part of its id that tells it from others. */
function nameOf({ name, id }: JobRecord): string {
  const end = id.split("-").at(-1)?.toLowerCase() ?? id;
  const words = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
    .replace(/^-+|-+$/g, "");
  return [words || "job", end].join("-").slice(0, 63);
}

function resourcesOf(
  { resources }: JobRecord,
  { gpuResource }: KubernetesOptions,
): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const { cpus, memoryBytes, gpus } = resources;
  const memory = memoryBytes === 0 ? {} : { memory: String(memoryBytes) };
  // GPUs are limited, and cannot be asked for otherwise; memory beyond the limit ends the pod.
  const gpu = gpus === 0 ? {} : { [gpuResource]: String(gpus) };
  const limits = { ...memory, ...gpu };
  return {
    requests: { cpu: `${Math.max(1, Math.round(cpus * 1000))}m`, ...memory, ...gpu },
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  };
}

function noticesOf(
  job: JobRecord,
  of: { readonly name: string; readonly start: string; readonly options: KubernetesOptions },
): readonly string[] {
  const { name, start, options } = of;
  const where = options.namespace === undefined ? "" : ` -n ${options.namespace}`;
  const { queue } = options;
  const release =
    queue === undefined
      ? `Let it go at ${start}:\n  kubectl patch job ${name}${where} --type=merge -p '{"spec":{"suspend":false}}'`
      : `Kueue lets it go as soon as there is room. To wait for ${start}, hold its queue until then:\n` +
        `  kubectl patch localqueue ${queue}${where} --type=merge -p '{"spec":{"stopPolicy":"Hold"}}'`;
  return [
    "Not exercised on a cluster: checked against the published schema of batch/v1 alone.",
    release,
    "Its environment, folder and files are not in it: the image must have what the command needs.",
    ...(job.pausing === null || job.pausing.kind === "checkpoint"
      ? []
      : ["Suspending it again deletes its pod: stopping and going on needs a checkpoint there."]),
  ];
}
