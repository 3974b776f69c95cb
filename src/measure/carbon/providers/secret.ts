// A credential that cannot be printed by accident: it shows in no JSON, no template and no inspection.
// It comes from an environment variable or from a file that one names, never from the command line,
// where every user of the machine could read it.

import { type Host, reasonOf, UserError } from "../../../core/index.ts";

export interface Secret {
  /** The credential itself, for a request's header. */
  reveal(): string;
  toString(): string;
}

export const secret = (value: string): Secret => {
  const hidden = () => "[secret]";
  return Object.freeze({ reveal: () => value, toString: hidden, toJSON: hidden });
};

/**
 * The credential in `NAME`, or in the file that `NAME_FILE` names. Throws UserError `denied` that says
 * where to get one when there is none.
 */
export async function readSecret(
  host: Host,
  name: string,
  options: { readonly service: string; readonly where: string },
): Promise<Secret> {
  const given = host.env[name]?.trim();
  if (given) return secret(given);
  const path = host.env[`${name}_FILE`];
  if (path) {
    const text = await host.readText(path).catch((cause: unknown) => {
      throw new UserError("denied", `${name}_FILE: cannot read ${path}: ${reasonOf(cause)}`, {
        hint: "Check the path and its permissions.",
        cause,
      });
    });
    if (text.trim() !== "") return secret(text.trim());
  }
  throw new UserError(
    "denied",
    `${options.service} asks for a credential, and ${name} is not set`,
    {
      hint: `Get one at ${options.where}, then set ${name}, or ${name}_FILE to a file that holds it.`,
    },
  );
}

/** A text in which no credential can be read, neither plain nor as it is spelt in an address. */
export function redact(text: string, secrets: readonly Secret[]): string {
  return secrets.reduce((result, one) => {
    const value = one.reveal();
    return [value, encodeURIComponent(value)]
      .filter((spelling) => spelling !== "")
      .reduce((clean, spelling) => clean.replaceAll(spelling, "[secret]"), result);
  }, text);
}
