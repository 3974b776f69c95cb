// A value that is made when it is first asked for. Schemas of what a command may never read cost a start of
// the program more than all else that it defines.

/** Gives what `make` makes, which is called at most once. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
