/** A value that is there at once where the platform can compute it synchronously, and later where it can not. */
export type Awaitable<T> = T | Promise<T>

/**
 * Whether a value has to be waited for. Told by its `then`, never by `instanceof`: with zone.js loaded, as Angular
 * does, the global `Promise` is another class than that of the promises which asynchronous functions return. Where
 * every request passes, `'then' in value` is written out: the engine remembers per place which shapes it met there, and
 * a function that all kinds of values pass through knows none.
 */
export function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** Goes on with a value: at once if it is there, later if it is not. A promise costs more than most of what follows. */
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

/** Does work and hands on whatever it throws or rejects with; at once where nothing has to be waited for. */
export function catchAwaitable(work: () => unknown, failed: (error: unknown) => void): Awaitable<void> {
  try {
    const done = work()
    if (isPromise(done)) return Promise.resolve(done).then(() => undefined, failed)
  } catch (error) {
    failed(error)
  }
}
