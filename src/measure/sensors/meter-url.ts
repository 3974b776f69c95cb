// Addresses of meters on the network: credentials leave the address before it is used, so that no
// message, source or card can hold them.

import { hostErrorCode, reasonOf, UserError } from "../../core/index.ts";

export interface MeterUrl {
  /** Without credentials and without fragment. */
  readonly url: URL;
  /** Value of an Authorization header, when the address held credentials. */
  readonly authorization: string | null;
  /** The fragment, decoded, without its `#`; empty when there is none. */
  readonly fragment: string;
}

/** Takes an http or https address apart. `name` is what the person set, for the message. */
export function splitUrl(address: string, name: string): MeterUrl {
  let url: URL;
  let fragment: string;
  try {
    url = new URL(address);
    fragment = decodeURIComponent(url.hash.slice(1));
  } catch {
    // The address is not repeated and no cause is kept: both could hold a password.
    throw new UserError("invalid-input", `${name} is not an address`, {
      hint: "Give an address such as https://bmc.example or http://192.168.1.20/rpc/Switch.GetStatus?id=0",
    });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new UserError("invalid-input", `${name} is an address of kind ${url.protocol}`, {
      hint: "A meter is read over http or https, or from a file given by its path.",
    });
  }
  const authorization =
    url.username === "" && url.password === ""
      ? null
      : basicAuthorization(decodeURIComponent(url.username), decodeURIComponent(url.password));
  url.username = "";
  url.password = "";
  url.hash = "";
  return { url, authorization, fragment };
}

/** Basic authentication, RFC 7617, in UTF-8. */
export function basicAuthorization(user: string, password: string): string {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

/** Why a request got no answer: the operating system's code, which fetch keeps in the cause. */
export function networkReason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return hostErrorCode(cause) ?? (cause instanceof Error ? cause.message : reasonOf(error));
}
