import type { IncomingMessage } from 'node:http'
import { InvalidDataError } from '../../base/errors.ts'
import { isJsonObject } from '../../base/json.ts'
import type { JsonObject } from '../../base/json.ts'
import { RejectedRequest, replyText } from './reply.ts'
import type { Reply } from './reply.ts'

/** How deep JSON may be nested. */
const MAX_DEPTH = 64

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads a request's body as a JSON object, in UTF-8 whatever its type says.
 * @throws RejectedRequest with 413 if it is longer than `limit` bytes, with `malformed` if it is no JSON object or nested too
 * deeply (DOS-03).
 * @throws InvalidDataError for what could not be kept as it was sent.
 */
export async function readJsonBody(request: IncomingMessage, limit: number, malformed: Reply): Promise<JsonObject> {
  const value = parse(await readBytes(request, limit))
  if (value === null) throw new RejectedRequest(malformed)
  const fault = faultOf(value)
  if (fault !== null) throw new InvalidDataError(`the body must have ${fault}, at any depth`)
  return value
}

/** Reads the bytes of a body. @throws RejectedRequest with 413 if there are more than `limit`. */
export async function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw new RejectedRequest(tooLong)
  const chunks: Buffer[] = []
  let length = 0
  // A refusal must still find the connection to be told on.
  const bytes: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false })
  try {
    for await (const chunk of bytes) {
      length += chunk.length
      if (length > limit) throw new RejectedRequest(tooLong)
      chunks.push(chunk)
    }
  } catch (error) {
    // Whoever hung up reads no answer; it is no failure of ours.
    if (request.destroyed) throw new RejectedRequest(replyText(400, 'The request ended early'))
    throw error
  }
  return Buffer.concat(chunks)
}

const tooLong: Reply = {
  status: 413,
  // What is left of the body is not read.
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
 * What of a JSON value would be another one once it is written again, or copied by a program in JavaScript: a number
 * that became infinite, and a member that becomes an object's prototype (S-15).
 */
function faultOf(value: unknown): string | null {
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'no number beyond 1.8e308'
  if (typeof value !== 'object' || value === null) return null
  for (const [name, member] of Object.entries(value)) {
    const fault = name === '__proto__' ? 'no member named __proto__' : faultOf(member)
    if (fault !== null) return fault
  }
  return null
}

/** Whether JSON text is nested at most {@link MAX_DEPTH} deep: in one pass, before any of it is built. */
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
