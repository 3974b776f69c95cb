// The cloud region that this process runs in. The environment is believed only where it also proves
// that it runs there: AWS_REGION alone is the setting of a client, found on many a laptop. The metadata
// services are asked only when that was allowed, for asking them is network traffic.

import { type Host, hostErrorCode, reasonOf } from "../../core/index.ts";

export interface CloudRegion {
  readonly provider: "aws" | "azure" | "gcp";
  readonly region: string;
  /** How it was found, for the card. */
  readonly from: string;
}

interface Sign {
  readonly provider: CloudRegion["provider"];
  /** The variable that holds the region. */
  readonly region: string;
  /** Variables that only a machine of this cloud sets; one of them is enough. */
  readonly proofs: readonly string[];
}

/**
 * AWS Lambda and ECS (AWS documentation, "Using environment variables"; "Task metadata endpoint"),
 * SageMaker training, Azure App Service ("Environment variables reference"), Google Cloud Functions
 * ("Configure environment variables").
 */
const SIGNS: readonly Sign[] = [
  {
    provider: "aws",
    region: "AWS_REGION",
    proofs: [
      "AWS_LAMBDA_FUNCTION_NAME",
      "AWS_EXECUTION_ENV",
      "ECS_CONTAINER_METADATA_URI_V4",
      "SM_TRAINING_ENV",
    ],
  },
  { provider: "azure", region: "REGION_NAME", proofs: ["WEBSITE_INSTANCE_ID"] },
  { provider: "gcp", region: "FUNCTION_REGION", proofs: ["FUNCTION_NAME", "K_SERVICE"] },
];

/** The region that the environment proves; null when it proves none. */
export function cloudRegionOf(env: Host["env"]): CloudRegion | null {
  for (const { provider, region, proofs } of SIGNS) {
    const name = env[region];
    const proof = proofs.find((one) => env[one]);
    if (!name || proof === undefined) continue;
    // App Service spells the display name: "West Europe".
    const spelt = provider === "azure" ? name.toLowerCase().replaceAll(" ", "") : name;
    return { provider, region: spelt, from: `${region}, with ${proof}` };
  }
  return null;
}

/** The metadata services answer at once or not at all; elsewhere their address leads nowhere. */
const DEADLINE = 500;
const LINK_LOCAL = "http://169.254.169.254";

interface MetadataService {
  readonly provider: CloudRegion["provider"];
  ask(host: Host): Promise<string>;
}

const SERVICES: readonly MetadataService[] = [
  {
    // IMDSv2: a token by PUT, then the region with it.
    provider: "aws",
    async ask(host) {
      const headers = { "x-aws-ec2-metadata-token-ttl-seconds": "60" };
      const token = await answer(host, `${LINK_LOCAL}/latest/api/token`, headers, "PUT");
      return answer(host, `${LINK_LOCAL}/latest/meta-data/placement/region`, {
        "x-aws-ec2-metadata-token": token,
      });
    },
  },
  {
    provider: "azure",
    ask: (host) =>
      answer(
        host,
        `${LINK_LOCAL}/metadata/instance/compute/location?api-version=2021-02-01&format=text`,
        { metadata: "true" },
      ),
  },
  {
    // projects/123/zones/europe-west1-b
    provider: "gcp",
    async ask(host) {
      const zone = await answer(
        host,
        "http://metadata.google.internal/computeMetadata/v1/instance/zone",
        { "metadata-flavor": "Google" },
      );
      return zone.replace(/^.*\//, "").replace(/-[a-z]$/, "");
    },
  },
];

/** Asks the metadata services of three clouds, all at once; the region, or why there is none. */
export async function askMetadata(
  host: Host,
): Promise<{ readonly region: CloudRegion } | { readonly reason: string }> {
  const asked = await Promise.all(
    SERVICES.map(async ({ provider, ask }) => {
      try {
        const region = await ask(host);
        return { provider, region, from: `metadata service of ${provider}` };
      } catch (error) {
        return `${provider}: ${hostErrorCode(error) ?? reasonOf(error)}`;
      }
    }),
  );
  const region = asked.find((one) => typeof one === "object");
  if (region !== undefined) return { region };
  return { reason: `no metadata service answered (${asked.join("; ")})` };
}

async function answer(
  host: Host,
  url: string,
  headers: Readonly<Record<string, string>>,
  method: "GET" | "PUT" = "GET",
): Promise<string> {
  const options = { timeout: DEADLINE, headers, method, redirect: "manual" } as const;
  const { status, body } = await host.fetch(url, options);
  const text = body.trim();
  // A captive portal answers every address with a page; a region or a token is one short word.
  if (status !== 200 || !/^[\w/+=.-]{1,400}$/.test(text)) throw new Error(`status ${status}`);
  return text;
}
