// `godwit export k8s`: a job of the queue as a suspended Kubernetes Job.

import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { kubernetesJob } from "../report/exports/kubernetes.ts";
import { openJobStore } from "../systems/schedule/jobs/index.ts";
import type { CliContext } from "./context.ts";
import { findJob } from "./job-options.ts";
import { LEDGER_OPTION, ledgerOf } from "./open-ledger.ts";

/** The command `k8s` below `export`. */
export function exportK8sCommand(context: CliContext) {
  return new Command("k8s")
    .description("Write a job of the queue as a suspended Kubernetes Job, with Kueue's label.")
    .argument("<job>", "id, the end of an id, a name, or last")
    .requiredOption("--image <image>", "container image that has the command")
    .option("--queue <name>", "Kueue's LocalQueue")
    .option("--namespace <name>", "namespace of the Job")
    .option("--gpu-resource <name>", "how the cluster spells GPUs", "nvidia.com/gpu")
    .option("--output <file>", "where to write it; - is standard output", "-")
    .option(...LEDGER_OPTION)
    .addHelpText("after", HELP)
    .action(async (text, { output, ledger, ...options }) => {
      const store = await openJobStore(ledgerOf(context, ledger).folder, { ifAbsent: "fail" });
      try {
        const job = await findJob(store, text);
        const { manifest, notices } = kubernetesJob(job, options);
        const { stringify } = await import("yaml");
        const yaml = stringify(manifest, { lineWidth: 0 });
        if (output === "-") context.stdout.write(yaml);
        else {
          const { writeFileAtomic } = await import("../core/host/write-file-atomic.ts");
          await writeFileAtomic(resolve(context.cwd, output), yaml);
        }
        for (const notice of notices) context.stderr.write(`${notice}\n`);
      } finally {
        store.close();
      }
    });
}

const HELP = `
The Job is suspended: something must let it go at the planned time, which is said with it.
Not exercised on a cluster; checked against the published schema of batch/v1.

Examples:
  $ godwit export k8s last --image registry.example.org/train:1.2 | kubectl apply -f -
  $ godwit export k8s m4x7cd --image train:1.2 --queue ml --output job.yaml`;
