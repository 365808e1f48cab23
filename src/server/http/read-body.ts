import type { IncomingMessage } from 'node:http'
import { TextDecoder } from 'node:util'
import { InvalidDataError } from '../../base/errors.ts'
import { isJsonObject } from '../../base/json.ts'
import type { JsonObject } from '../../base/json.ts'
import { RejectedRequest, replyText } from './reply.ts'
import type { Reply } from './reply.ts'

/** The most levels of nested JSON. */
const MAX_DEPTH = 64

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads a request's body as a JSON object. It is read as UTF-8, whatever charset its `Content-Type` names.
 * @throws RejectedRequest with 413 if it is longer than `limit` bytes; with `malformed` if it is not a JSON object, or
 * is nested too deeply (DOS-03).
 * @throws InvalidDataError if it contains a value that could not be stored unchanged.
 */
export async function readJsonBody(request: IncomingMessage, limit: number, malformed: Reply): Promise<JsonObject> {
  const value = parse(await readBytes(request, limit))
  if (value === null) throw new RejectedRequest(malformed)
  const limitation = violatedLimitation(value)
  if (limitation !== null) throw new InvalidDataError(`the body must have ${limitation}, at any depth`)
  return value
}

/** Reads the bytes of a body. @throws RejectedRequest with 413 if there are more than `limit`. */
export async function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw new RejectedRequest(tooLong)
  const chunks: Buffer[] = []
  let length = 0
  // The connection stays open, so that a refusal can still be sent.
  const bytes: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false })
  try {
    for await (const chunk of bytes) {
      length += chunk.length
      if (length > limit) throw new RejectedRequest(tooLong)
      chunks.push(chunk)
    }
  } catch (error) {
    // The client closed the connection: that is not an error of the server, and nobody reads the response.
    if (request.destroyed) throw new RejectedRequest(replyText(400, 'The request ended early'))
    throw error
  }
  return Buffer.concat(chunks)
}

const tooLong: Reply = {
  status: 413,
  // The rest of the body is not read.
  headers: { 'content-type': 'text/html; charset=UTF-8', 'cache-control': 'no-store', connection: 'close' },
  body: 'The request is too long\n',
}

function parse(bytes: Buffer): JsonObject | null {
  try {
    const source = strictUtf8.decode(bytes)
    const value: unknown = isShallow(source) ? JSON.parse(source) : null
    return isJsonObject(value) ? value : null
  } catch {
    return null
  }
}

/**
 * A limitation that a JSON value violates, or null. Such a value would change when it is serialized again or copied in
 * JavaScript: a number that was parsed as infinite, or a member that would set an object's prototype (S-15).
 */
function violatedLimitation(value: unknown): string | null {
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
