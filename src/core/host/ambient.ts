// A value that follows the flow of calls, through awaits and callbacks, without being passed along:
// how nested spans know their parent.

import { AsyncLocalStorage } from "node:async_hooks";

export interface Ambient<T> {
  /** The value around this call; undefined when there is none. */
  current(): T | undefined;
  /** Calls a function with the value around it. */
  run<R>(value: T, call: () => R): R;
  /** Sets the value for the rest of this asynchronous flow. */
  enter(value: T | undefined): void;
}

export function createAmbient<T>(): Ambient<T> {
  const storage = new AsyncLocalStorage<T | undefined>();
  return {
    current: () => storage.getStore(),
    run: (value, call) => storage.run(value, call),
    enter: (value) => storage.enterWith(value),
  };
}
