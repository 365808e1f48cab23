/** Any value that JSON can carry. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [member: string]: JsonValue }

/** An object that JSON can carry: what JWT payloads and session info are made of. */
export type JsonObject = { [member: string]: JsonValue }

/** Whether a parsed JSON value is an object, and neither an array nor null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Parses the text of a JSON object; `null` for anything else, never an exception. */
export function parseJsonObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : null
  } catch {
    return null
  }
}

/** Member names that could reach a prototype when a careless reader copies them (TOK-14). */
export function isPrototypeMember(name: string): boolean {
  return name === '__proto__' || name === 'constructor' || name === 'prototype'
}

/** Freezes a JSON value and all that is in it. What this froze before costs a look; the outermost is frozen last. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const name in value) deepFreeze(value[name])
  return Object.freeze(value)
}
