import type { IncomingMessage } from 'node:http'

/**
 * Reads the body of a request of node:http as text; null if it is longer than `limit` bytes. A body parser may have read
 * it before: `parsed` is what it made of it, if that is not the `body` of the message.
 */
export async function readNodeBody(message: IncomingMessage, limit: number, parsed?: unknown): Promise<string | null> {
  const made: unknown = parsed ?? ('body' in message ? message.body : undefined)
  if (made !== undefined) return textOf(made, limit)
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  // The connection stays open, so that a refusal can still be sent.
  const pieces: AsyncIterable<Uint8Array> = message.iterator({ destroyOnReturn: false })
  for await (const piece of pieces) {
    length += piece.length
    if (length > limit) break
    text += decoder.decode(piece, { stream: true })
  }
  if (length <= limit) return text + decoder.decode()
  // The connection takes its next request only when the rest was read. (An open iterator would not let it flow.)
  message.resume()
  return null
}

/** Reads the body of a web request as text; null if it is longer than `limit` bytes. */
export async function readWebBody(request: Request, limit: number): Promise<string | null> {
  const reader = request.body?.getReader()
  if (reader === undefined) return ''
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    length += value.length
    if (length > limit) {
      // Cancelling it would close the connection, and the response to this request with it.
      void discard(reader)
      return null
    }
    text += decoder.decode(value, { stream: true })
  }
}

/** Reads the rest of a body. Never rejects. */
async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    while (!(await reader.read()).done) continue
  } catch {
    // The client has gone.
  }
}

/** The text that a body parser has read: as it was, or as JSON. */
function textOf(made: unknown, limit: number): string | null {
  if (typeof made === 'string') return boundedText(made, limit)
  return boundedText(made instanceof Uint8Array ? new TextDecoder().decode(made) : JSON.stringify(made), limit)
}

/** The text, or null if it is longer than `limit` bytes. */
export function boundedText(text: string, limit: number): string | null {
  return new TextEncoder().encode(text).length > limit ? null : text
}
