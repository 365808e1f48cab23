import { isJsonObject } from './json.ts'
import type { JsonObject } from './json.ts'

/** The most levels of nested JSON. */
const MAX_DEPTH = 64

/** Parses a JSON object of a client; null for any other text, and for one that is nested too deeply (DOS-03). */
export function parseStrictObject(text: string): JsonObject | null {
  try {
    const value: unknown = isShallow(text) ? JSON.parse(text) : null
    return isJsonObject(value) ? value : null
  } catch {
    return null
  }
}

/**
 * A limitation that a JSON value violates, or null. Such a value would change when it is serialized again or copied in
 * JavaScript: a number that was parsed as infinite, or a member that would set an object's prototype (S-15).
 */
export function violatedLimitation(value: unknown): string | null {
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'no number beyond 1.8e308'
  if (typeof value !== 'object' || value === null) return null
  for (const [name, member] of Object.entries(value)) {
    const limitation = name === '__proto__' ? 'no member named __proto__' : violatedLimitation(member)
    if (limitation !== null) return limitation
  }
  return null
}

/** Whether JSON text is nested at most {@link MAX_DEPTH} levels deep. One pass over the text, before it is parsed. */
function isShallow(text: string): boolean {
  let depth = 0
  let inString = false
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (inString) {
      if (character === '\\') index += 1
      else if (character === '"') inString = false
    } else if (character === '"') {
      inString = true
    } else if (character === '{' || character === '[') {
      depth += 1
      if (depth > MAX_DEPTH) return false
    } else if (character === '}' || character === ']') {
      depth -= 1
    }
  }
  return true
}
