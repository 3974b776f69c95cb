// A word of a command that people copy into a shell.

/** The word as a POSIX shell reads it back; in quotes only where it must be. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
