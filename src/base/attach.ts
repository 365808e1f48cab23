/**
 * Attaches a value to an object of somebody else, such as a session to its request, as a property that no copy or log of
 * the object contains. A WeakMap with an entry for each request costs more than a verification, most of it in the
 * garbage collector. Readers look with `in` where they are: a reader that all of them share would be slower.
 */
export function attach(target: object, name: symbol, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true })
}
