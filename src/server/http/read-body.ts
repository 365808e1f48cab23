import type { IncomingMessage } from 'node:http'
import { TextDecoder } from 'node:util'
import { InvalidDataError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { parseStrictObject, violatedLimitation } from '../../base/strict-json.ts'
import { RejectedRequest, replyText } from './reply.ts'
import type { Reply } from './reply.ts'

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
    return parseStrictObject(strictUtf8.decode(bytes))
  } catch {
    return null
  }
}
