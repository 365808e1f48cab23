import { GeneralError } from '../../base/errors.ts'
import { parseHandle } from '../../base/handle.ts'
import type { SessionHandle } from '../../base/handle.ts'
import { isJsonObject } from '../../base/json.ts'
import type { JsonObject } from '../../base/json.ts'
import { RECORD_FORMAT } from '../../session/record.ts'

/** Reads an array. @throws GeneralError if the reply is anything else. */
export function toList(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw unreadable('a list')
  return reply
}

/** Reads a text, which a client may be set to return as bytes. @throws GeneralError if the reply is anything else. */
export function toText(reply: unknown): string {
  if (reply instanceof Uint8Array) return new TextDecoder().decode(reply)
  if (typeof reply !== 'string') throw unreadable('a text')
  return reply
}

/** Reads a list of texts. @throws GeneralError if the reply is anything else. */
export function toTexts(reply: unknown): string[] {
  return toList(reply).map(toText)
}

/** Splits a flat list into pairs. @throws GeneralError if one item is left over. */
export function toPairs<Item>(flat: readonly Item[]): (readonly [Item, Item])[] {
  return Array.from({ length: Math.ceil(flat.length / 2) }, (_, index) => {
    const [first, second] = flat.slice(2 * index, 2 * index + 2)
    if (first === undefined || second === undefined) throw unreadable('a pair')
    return [first, second]
  })
}

/** Reads an integer that JavaScript can represent exactly. @throws GeneralError if the reply is anything else. */
export function toInteger(reply: unknown): number {
  const text = reply instanceof Uint8Array ? toText(reply) : reply
  const value = typeof text === 'string' && /^-?\d{1,16}$/.test(text) ? Number(text) : text
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw unreadable('an integer')
  return value
}

/** Reads a boolean. @throws GeneralError if the value is anything else. */
export function toFlag(value: unknown): boolean {
  if (typeof value !== 'boolean') throw unreadable('a flag')
  return value
}

/** Reads an object. @throws GeneralError if the value is anything else. */
export function toObject(value: unknown): JsonObject {
  if (!isJsonObject(value)) throw unreadable('an object')
  return value
}

/** Reads a session handle. @throws GeneralError if the reply is anything else. */
export function toHandle(reply: unknown): SessionHandle {
  const handle = parseHandle(toText(reply))
  if (handle === null) throw unreadable('a handle')
  return handle
}

/** The error for data that Keyturn did not write. The message does not contain the value itself. */
export function unreadable(what: string): GeneralError {
  return new GeneralError('STORE_UNAVAILABLE', `unexpected data in Redis: Keyturn expected ${what}`)
}

/** The error for a session that this version cannot read: another version wrote its format, or it is not a session. */
export function unreadableSession(format: string): GeneralError {
  if (!/^\d{1,16}$/.test(format)) return unreadable('a session')
  return new GeneralError('STORE_UNAVAILABLE', `Redis holds a session of format ${format}, and this version of Keyturn `
    + `reads format ${RECORD_FORMAT} only: run the version that wrote it in every process`)
}
