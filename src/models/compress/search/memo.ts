// What was computed once is not computed again, also after an interruption: results by the hash of all that
// they depend on.

import type { Model } from "../../../onnx/index.ts";
import { encodeModel } from "../../../onnx/index.ts";

/** Where results are kept; a folder for runs that may be resumed, memory for others. */
export interface Store {
  /** Null when nothing is kept under the key. */
  read(key: string): Promise<string | null>;
  write(key: string, value: string): Promise<void>;
}

export function memoryStore(): Store {
  const kept = new Map<string, string>();
  return {
    read: async (key) => kept.get(key) ?? null,
    write: async (key, value) => void kept.set(key, value),
  };
}

/** The kept result for what it depends on, else a computed one, which is kept. Results are plain JSON. */
export async function remembered<T>(
  store: Store,
  dependsOn: unknown,
  compute: () => Promise<T>,
): Promise<T> {
  const key = await sha256(JSON.stringify(dependsOn));
  const known = await store.read(key);
  if (known !== null) return JSON.parse(known) as T;
  const computed = await compute();
  await store.write(key, JSON.stringify(computed));
  return computed;
}

/** SHA-256 in hexadecimal. */
export async function sha256(content: string | Uint8Array): Promise<string> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(bytes));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Hash of a model's file. */
export const hashOfModel = (model: Model): Promise<string> => sha256(encodeModel(model));
