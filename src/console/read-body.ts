import type { BodySource } from '../transport/console-port.ts'

/** Reads the body of a request as text; null if it is longer than `limit` bytes. */
export async function readBody(source: BodySource, limit: number): Promise<string | null> {
  if ('parsed' in source) return textOf(await source.parsed, limit)
  if (!('iterator' in source)) return readWebBody(source.body, limit)
  // What a body parser has made of it.
  if ('body' in source && source.body !== undefined) return textOf(source.body, limit)
  const text = new BoundedText(limit)
  // The connection stays open, so that a refusal can still be sent.
  for await (const piece of source.iterator({ destroyOnReturn: false })) if (!text.add(piece)) break
  // The connection takes its next request only when the rest was read. (An open iterator would not let it flow.)
  if (text.isTooLong) source.resume()
  return text.read()
}

async function readWebBody(body: ReadableStream<Uint8Array> | null, limit: number): Promise<string | null> {
  const text = new BoundedText(limit)
  const reader = body?.getReader()
  while (reader !== undefined) {
    const { done, value } = await reader.read()
    if (done) break
    if (text.add(value)) continue
    // Cancelling it would close the connection, and the response to this request with it.
    void discard(reader)
    break
  }
  return text.read()
}

/** Reads the rest of a body. Never rejects. */
async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    while (!(await reader.read()).done) continue
  } catch {
    // The client has gone.
  }
}

/** Collects a text in UTF-8. */
class BoundedText {
  readonly #limit: number
  readonly #decoder = new TextDecoder()
  #text = ''
  #length = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get isTooLong(): boolean {
    return this.#length > this.#limit
  }

  /** Adds a piece. Returns false if there is too much now. */
  add(piece: Uint8Array): boolean {
    this.#length += piece.length
    if (!this.isTooLong) this.#text += this.#decoder.decode(piece, { stream: true })
    return !this.isTooLong
  }

  /** The text; null if it was too long. */
  read(): string | null {
    return this.isTooLong ? null : this.#text + this.#decoder.decode()
  }
}

/** The text that a body parser has read: as it was, or as JSON. */
function textOf(parsed: unknown, limit: number): string | null {
  if (parsed instanceof Uint8Array) return parsed.length > limit ? null : new TextDecoder().decode(parsed)
  const text = typeof parsed === 'string' ? parsed : JSON.stringify(parsed ?? '')
  return new TextEncoder().encode(text).length > limit ? null : text
}
