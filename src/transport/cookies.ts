import { percentDecode } from '../base/percent-decode.ts'

/** Longer `Cookie` headers count as absent (DOS-01). */
const MAX_HEADER_LENGTH = 16_384
/** Headers with more cookies count as absent (DOS-01). */
const MAX_COOKIES = 200

const SPACE = 0x20
const TAB = 0x09
const EQUALS = 0x3d

/**
 * The values of all cookies with exactly this name, in the order sent, without empty ones. Splits at `;` and trims only
 * spaces and tabs. Does not support quoting or `$Version`; names are case-sensitive (CK-08). Linear time (DOS-02).
 * Percent-encoding is decoded; a value with invalid encoding is left out (CMP-13).
 */
export function readCookies(header: string | null, name: string): readonly string[] {
  if (header === null || header.length > MAX_HEADER_LENGTH) return []
  let values: readonly string[] = []
  let count = 0
  for (let start = 0; start < header.length; count++) {
    if (count === MAX_COOKIES) return []
    const semicolon = header.indexOf(';', start)
    const end = semicolon === -1 ? header.length : semicolon
    const value = valueOf(header, start, end, name)
    // Nearly always there is one value: `push` would allocate space for 17.
    if (value !== null) values = values.length === 0 ? [value] : [...values, value]
    start = end + 1
  }
  return values
}

function valueOf(header: string, start: number, end: number, name: string): string | null {
  const nameStart = skipBlanks(header, start, end)
  // Most cookies have a name of another length, so that comparing one character is enough.
  const equals = skipBlanks(header, nameStart + name.length, end)
  if (equals >= end || header.charCodeAt(equals) !== EQUALS || !header.startsWith(name, nameStart)) return null
  const valueStart = skipBlanks(header, equals + 1, end)
  let valueEnd = end
  while (valueEnd > valueStart && isBlank(header, valueEnd - 1)) valueEnd--
  return valueEnd === valueStart ? null : percentDecode(header.slice(valueStart, valueEnd))
}

function skipBlanks(text: string, start: number, end: number): number {
  let index = start
  while (index < end && isBlank(text, index)) index++
  return index
}

function isBlank(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return code === SPACE || code === TAB
}
