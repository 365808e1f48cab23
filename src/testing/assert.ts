import { isSessionError } from '../base/errors.ts'

/** A violation of the contract of a port by an implementation. */
export class ContractViolation extends Error {
  /** The name of the class. */
  override readonly name = 'ContractViolation'
}

/** Asserts that a condition is true. @throws ContractViolation */
export function ensure(holds: boolean, promise: string): asserts holds {
  if (!holds) throw new ContractViolation(promise)
}

/** Asserts that a value is neither null nor undefined. @throws ContractViolation */
export function ensurePresent<T>(value: T | null | undefined, promise: string): T {
  if (value === null || value === undefined) throw new ContractViolation(promise)
  return value
}

/** Asserts that two plain values are equal in all their own members. @throws ContractViolation */
export function ensureEqual(actual: unknown, expected: unknown, promise: string): void {
  if (!alike(actual, expected)) {
    throw new ContractViolation(`${promise}: expected ${show(expected)}, got ${show(actual)}`)
  }
}

/** Asserts that an operation rejects. @throws ContractViolation */
export async function ensureRejects(operation: () => Promise<unknown>, promise: string): Promise<void> {
  let failed = false
  try {
    await operation()
  } catch {
    failed = true
  }
  ensure(failed, promise)
}

/** The code of the error that a call rejects with; null if it resolves, and the error itself if it has no code. */
export async function errorCodeOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call()
    return null
  } catch (error) {
    return isSessionError(error) ? error.code : error
  }
}

function alike(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true
  if (!isObject(left) || !isObject(right) || Array.isArray(left) !== Array.isArray(right)) return false
  const names = Object.keys(left)
  return names.length === Object.keys(right).length
    && names.every(name => Object.hasOwn(right, name) && alike(left[name], right[name]))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 400 ? `${text.slice(0, 400)}...` : text
}
