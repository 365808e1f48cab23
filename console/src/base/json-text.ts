import type { JsonObject, JsonValue } from '../../../src/console/api-types.ts'

/** The value as an operator edits it. */
export function format(value: JsonObject): string {
  return JSON.stringify(value, null, 2)
}

/** What an operator has typed: the object, or the sentence that says what is wrong. */
export type Parsed = { readonly value: JsonObject } | { readonly problem: string }

/** Parses what an operator has typed. */
export function parse(text: string): Parsed {
  let value: JsonValue
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { problem: `This is not JSON: ${error instanceof Error ? error.message : 'it cannot be parsed'}.` }
  }
  if (!isObject(value)) {
    return { problem: `This must be a JSON object, such as {"plan": "pro"}; received ${kindOf(value)}.` }
  }
  return { value }
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function kindOf(value: JsonValue): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}

/** A line, and whether it is in both texts. */
export interface DiffLine {
  readonly text: string
  readonly isOwn: boolean
}

/** The lines of a text, each with whether the other text lacks it: by the longest common subsequence. */
export function diff(text: string, other: string): DiffLine[] {
  const [mine, theirs] = [text.split('\n'), other.split('\n')]
  // Common lines of the rests from line i of one and line j of the other.
  const common = Array.from({ length: mine.length + 1 }, () => Array<number>(theirs.length + 1).fill(0))
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0
  for (let i = mine.length - 1; i >= 0; i--) {
    for (let j = theirs.length - 1; j >= 0; j--) {
      const row = common[i]
      if (row !== undefined) {
        row[j] = mine[i] === theirs[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
      }
    }
  }
  const lines: DiffLine[] = []
  for (let i = 0, j = 0; i < mine.length;) {
    if (j < theirs.length && mine[i] !== theirs[j] && at(i, j + 1) >= at(i + 1, j)) j++
    else {
      const isShared = j < theirs.length && mine[i] === theirs[j]
      lines.push({ text: mine[i] ?? '', isOwn: !isShared })
      i++
      if (isShared) j++
    }
  }
  return lines
}
