/** A value, or a promise of it. It is a value wherever the platform can compute it synchronously. */
export type Awaitable<T> = T | Promise<T>

/**
 * Whether a value is a promise. Checks for `then`, not with `instanceof`: zone.js, which Angular loads, replaces the
 * global `Promise`, and async functions return promises of the original class. Code that runs for every request writes
 * `'then' in value` instead of calling this function: the engine caches object shapes per call site, and a function
 * that is called with values of many shapes does not profit from the cache.
 */
export function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/**
 * Applies a function to a value: synchronously, or after the promise has resolved. Creating a promise costs more time
 * than most of the functions that are applied.
 */
export function mapAwaitable<Input, Output>(
  value: Awaitable<Input>,
  next: (value: Input) => Promise<Output>,
): Promise<Output>
export function mapAwaitable<Input, Output>(
  value: Awaitable<Input>,
  next: (value: Input) => Awaitable<Output>,
): Awaitable<Output>
export function mapAwaitable<Input, Output>(
  value: Awaitable<Input>,
  next: (value: Input) => Awaitable<Output>,
): Awaitable<Output> {
  return isPromise(value) ? value.then(next) : next(value)
}

/** Calls `work`, and passes what it throws or rejects with to `failed`. Synchronous unless `work` returns a promise. */
export function catchAwaitable(work: () => unknown, failed: (error: unknown) => void): Awaitable<void> {
  try {
    const done = work()
    if (isPromise(done)) return Promise.resolve(done).then(() => undefined, failed)
  } catch (error) {
    failed(error)
  }
}
