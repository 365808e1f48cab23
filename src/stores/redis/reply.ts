import { GeneralError } from '../../base/errors.ts'
import { parseHandle } from '../../base/handle.ts'
import type { SessionHandle } from '../../base/handle.ts'

/** Reads an array. @throws GeneralError if Redis answered anything else. */
export function listOf(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw unreadable('a list')
  return reply
}

/** Reads a text. @throws GeneralError if Redis answered anything else. */
export function textOf(reply: unknown): string {
  if (typeof reply !== 'string') throw unreadable('a text')
  return reply
}

/** Reads a list of texts. @throws GeneralError if Redis answered anything else. */
export function textsOf(reply: unknown): string[] {
  return listOf(reply).map(textOf)
}

/** Reads an integer that JavaScript can hold exactly. @throws GeneralError if Redis answered anything else. */
export function integerOf(reply: unknown): number {
  const value = typeof reply === 'string' && /^-?\d{1,16}$/.test(reply) ? Number(reply) : reply
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw unreadable('an integer')
  return value
}

/** Reads a session's handle. @throws GeneralError if Redis answered anything else. */
export function handleOf(reply: unknown): SessionHandle {
  const handle = parseHandle(textOf(reply))
  if (handle === null) throw unreadable('a handle')
  return handle
}

/** What a key holds is not what was written; the value itself stays out of the message. */
export function unreadable(what: string): GeneralError {
  return new GeneralError('STORE_UNAVAILABLE', `Redis holds something else where a store of Keyturn wrote ${what}`)
}
