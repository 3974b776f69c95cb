// Ids of cards: nine characters of time, a dash, six random ones, for example `1k9x3f2ab-m4x7cd`.
// They sort by time as text, hold no capitals and no look-alikes (i, l, o, u), and their second
// half alone is short enough to type.

import type { Host } from "./host/host.ts";

/** Crockford's base 32, lower case. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_DIGITS = 9;
const RANDOM_DIGITS = 6;

/** What a card's id may be: ours, and those of cards that came from elsewhere. Safe as a file name. */
const CARD_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/**
 * A new id. The time is the wall clock in milliseconds, good until the year 3084; two ids of the
 * same millisecond are equal once in 2^30. `randomBytes` is injected by tests alone.
 */
export function newCardId(host: Pick<Host, "wall">, randomBytes = cryptoBytes): string {
  let time = Math.max(0, Math.floor(host.wall()));
  let digits = "";
  for (let i = 0; i < TIME_DIGITS; i++) {
    digits = ALPHABET.charAt(time % 32) + digits;
    time = Math.floor(time / 32);
  }
  // 256 is a multiple of 32, so every character is equally likely.
  const random = Array.from(randomBytes(RANDOM_DIGITS), (byte) => ALPHABET.charAt(byte % 32));
  return `${digits}-${random.join("")}`;
}

/** Whether a text can be a card's id, and so part of a file's name. */
export function isCardId(text: string): boolean {
  return CARD_ID.test(text);
}

function cryptoBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}
