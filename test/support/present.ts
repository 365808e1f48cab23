/** The value, which the test takes to be there: fails if it is not. */
export function present<Value>(value: Value | null | undefined): Value {
  if (value === null || value === undefined) throw new Error(`expected a value; received ${value}`)
  return value
}
