/** A value that is there at once where the platform can compute it synchronously, and later where it can not. */
export type Awaitable<T> = T | Promise<T>
