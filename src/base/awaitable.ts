/** A value that is there at once where the platform can compute it synchronously, and later where it can not. */
export type Awaitable<T> = T | Promise<T>

/** Goes on with a value: at once if it is there, later if it is not. A promise costs more than most of what follows. */
export function andThen<Input, Output>(
  value: Awaitable<Input>,
  next: (value: Input) => Awaitable<Output>,
): Awaitable<Output> {
  return value instanceof Promise ? value.then(next) : next(value)
}
