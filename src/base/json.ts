/** Any JSON value. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [member: string]: JsonValue }

/** A JSON object. JWT payloads and session data are such objects. */
export type JsonObject = { [member: string]: JsonValue }

/** Whether a parsed JSON value is an object, and neither an array nor null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Parses a JSON object; `null` for any other string. Never throws. */
export function parseJsonObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : null
  } catch {
    return null
  }
}

/** Whether code that copies the member carelessly could change a prototype (TOK-14). */
export function isPrototypeMember(name: string): boolean {
  return name === '__proto__' || name === 'constructor' || name === 'prototype'
}

/** Freezes a JSON value, from the inside out. A value that is frozen already counts as frozen throughout. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const name in value) deepFreeze(value[name])
  return Object.freeze(value)
}

/** A part of a value that JSON cannot carry. */
export interface NotJson {
  /** The names of the members that lead to it. */
  readonly path: readonly string[]
  /** What it is, to complete "which is". */
  readonly what: string
}

/**
 * Finds the first part of a value that JSON would drop or change, such as a Date, NaN or undefined in an array; null if
 * there is none. Members that are undefined count as absent.
 */
export function findNotJson(value: unknown, ancestors: readonly object[] = []): NotJson | null {
  const what = describeNotJson(value)
  if (what !== null) return { path: [], what }
  if (typeof value !== 'object' || value === null) return null
  if (ancestors.includes(value)) return { path: [], what: 'an object that contains itself' }
  const [hidden] = Object.getOwnPropertySymbols(value)
  if (hidden !== undefined) return { path: [String(hidden)], what: 'a member whose name is a symbol' }
  const inside = [...ancestors, value]
  // Unlike Object.entries, Array.from also yields the holes of an array.
  const members: readonly (readonly [string, unknown])[] = Array.isArray(value)
    ? Array.from(value, (item: unknown, index) => [String(index), item])
    : Object.entries(value).filter(([, member]) => member !== undefined)
  for (const [name, member] of members) {
    const found = findNotJson(member, inside)
    if (found !== null) return { ...found, path: [name, ...found.path] }
  }
  return null
}

/** What a value is that is not JSON by itself, whatever it contains; null for JSON. */
function describeNotJson(value: unknown): string | null {
  switch (typeof value) {
    case 'number': return Number.isFinite(value) ? null : String(value)
    case 'undefined': return 'undefined'
    case 'bigint':
    case 'function':
    case 'symbol': return `a ${typeof value}`
    case 'object':
      return value === null || Array.isArray(value) || isPlainObject(value) ? null : describeInstance(value)
    default: return null
  }
}

/** Whether an object has no class: an object literal, of any realm, or an object without a prototype. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function describeInstance(value: object): string {
  const name: unknown = value.constructor?.name
  return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an instance of a class'
}
