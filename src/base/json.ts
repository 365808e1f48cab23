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
