// Answers kept between runs, without the credentials that they were asked with.

import { reasonOf } from "../../../core/index.ts";

/** Where answers are kept between runs. A node file system's is in `core/host/cache-folder.ts`. */
export interface CacheStore {
  /** The text under a key; null when there is none. */
  read(key: string): Promise<string | null>;
  write(key: string, text: string): Promise<void>;
}

interface Kept {
  readonly body: string;
  /** Milliseconds since 1970 UTC. */
  readonly retrievedAt: number;
}

const CACHE_SCHEMA = "godwit.cache/1";

/** What was kept under an address; null when nothing usable was. */
export async function readKept(store: CacheStore, url: string): Promise<Kept | null> {
  try {
    const kept: unknown = JSON.parse((await store.read(url)) ?? "null");
    if (typeof kept !== "object" || kept === null) return null;
    const { schema, body, retrievedAt } = kept as Record<string, unknown>;
    const isOurs = schema === CACHE_SCHEMA;
    if (!isOurs || typeof body !== "string" || typeof retrievedAt !== "number") return null;
    return { body, retrievedAt };
  } catch {
    // A cache that cannot be read is as good as an empty one: the service is asked.
    return null;
  }
}

/** Keeps an answer; what must be said when that failed. */
export async function keep(
  store: CacheStore,
  {
    url,
    service,
    freshFor,
  }: { readonly url: string; readonly service: string; readonly freshFor: number },
  answer: Kept,
): Promise<readonly string[]> {
  if (freshFor === 0) return [];
  try {
    await store.write(url, JSON.stringify({ schema: CACHE_SCHEMA, ...answer }));
    return [];
  } catch (error) {
    return [`${service}: the answer was not kept: ${reasonOf(error)}`];
  }
}
