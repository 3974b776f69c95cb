// One writer, any number of readers, none of whom can hold the writer up: a reader that lags loses
// the oldest values.

export interface Broadcast<T> {
  publish(value: T): void;
  /** Ends every reader after what it still has to read. */
  end(): void;
  /** Values published from now on. */
  subscribe(): AsyncIterable<T>;
}

/** Values kept for a reader that lags. */
const BACKLOG = 256;

export function createBroadcast<T>(): Broadcast<T> {
  const readers = new Set<Reader<T>>();
  let ended = false;
  return {
    publish(value) {
      for (const reader of readers) reader.push(value);
    },
    end() {
      ended = true;
      for (const reader of readers) reader.wake();
    },
    subscribe: () => ({
      async *[Symbol.asyncIterator]() {
        const reader = createReader<T>();
        readers.add(reader);
        try {
          for (;;) {
            const next = reader.shift();
            if (next !== undefined) yield next.value;
            else if (ended) return;
            else await reader.more();
          }
        } finally {
          readers.delete(reader);
        }
      },
    }),
  };
}

interface Reader<T> {
  push(value: T): void;
  wake(): void;
  shift(): { readonly value: T } | undefined;
  more(): Promise<void>;
}

function createReader<T>(): Reader<T> {
  const queue: { readonly value: T }[] = [];
  let wake = (): void => {};
  return {
    push(value) {
      queue.push({ value });
      if (queue.length > BACKLOG) queue.shift();
      wake();
    },
    wake: () => wake(),
    shift: () => queue.shift(),
    more: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
  };
}
