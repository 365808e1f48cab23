import { GeneralError } from '../../base/errors.ts'
import { parseHandle } from '../../base/handle.ts'
import type { SessionHandle } from '../../base/handle.ts'
import { isJsonObject } from '../../base/json.ts'
import type { JsonObject } from '../../base/json.ts'
import { RECORD_FORMAT } from '../../session/record.ts'

/** Reads an array. @throws GeneralError if Redis answered anything else. */
export function toList(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw unreadable('a list')
  return reply
}

/** Reads a text. @throws GeneralError if Redis answered anything else. */
export function toText(reply: unknown): string {
  if (typeof reply !== 'string') throw unreadable('a text')
  return reply
}

/** Reads a list of texts. @throws GeneralError if Redis answered anything else. */
export function toTexts(reply: unknown): string[] {
  return toList(reply).map(toText)
}

/** What comes in turn, two by two. @throws GeneralError if one is left over. */
export function toPairs<Item>(flat: readonly Item[]): (readonly [Item, Item])[] {
  return Array.from({ length: Math.ceil(flat.length / 2) }, (_, index) => {
    const [first, second] = flat.slice(2 * index, 2 * index + 2)
    if (first === undefined || second === undefined) throw unreadable('a pair')
    return [first, second]
  })
}

/** Reads an integer that JavaScript can hold exactly. @throws GeneralError if Redis answered anything else. */
export function toInteger(reply: unknown): number {
  const value = typeof reply === 'string' && /^-?\d{1,16}$/.test(reply) ? Number(reply) : reply
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw unreadable('an integer')
  return value
}

/** Reads what is true or false. @throws GeneralError if it is anything else. */
export function toFlag(value: unknown): boolean {
  if (typeof value !== 'boolean') throw unreadable('a flag')
  return value
}

/** Reads an object. @throws GeneralError if it is anything else. */
export function toObject(value: unknown): JsonObject {
  if (!isJsonObject(value)) throw unreadable('an object')
  return value
}

/** Reads a session's handle. @throws GeneralError if Redis answered anything else. */
export function toHandle(reply: unknown): SessionHandle {
  const handle = parseHandle(toText(reply))
  if (handle === null) throw unreadable('a handle')
  return handle
}

/** What a key holds is not what was written; the value itself stays out of the message. */
export function unreadable(what: string): GeneralError {
  return new GeneralError('STORE_UNAVAILABLE', `Redis holds something else where a store of Keyturn wrote ${what}`)
}

/** A session that this version cannot read: of a format that another version wrote, or no session at all. */
export function unreadableSession(format: string): GeneralError {
  if (!/^\d{1,16}$/.test(format)) return unreadable('a session')
  return new GeneralError('STORE_UNAVAILABLE', `Redis holds a session of format ${format}, and this version of Keyturn `
    + `reads format ${RECORD_FORMAT} only: run the version that wrote it in every process`)
}
