/** A response of node:http, as far as a stream is written into it. */
export interface StreamTarget {
  write(piece: Uint8Array): boolean
  end(): unknown
  destroy(): unknown
  once(event: 'close' | 'drain', listener: () => void): unknown
}

/**
 * Writes a stream into a response, as fast as the client reads. If the stream fails, the response is cut off, so that
 * nobody takes a part for the whole; if the client goes away, the stream is cancelled. Never rejects.
 */
export async function sendStream(body: ReadableStream<Uint8Array>, response: StreamTarget): Promise<void> {
  const reader = body.getReader()
  let isGone = false
  let wake = (): void => undefined
  response.once('close', () => {
    isGone = true
    wake()
  })
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      if (!isGone && !response.write(value)) {
        await new Promise<void>(resolve => {
          wake = resolve
          response.once('drain', resolve)
        })
      }
      if (isGone) throw new Error('the client has gone')
    }
    response.end()
  } catch {
    response.destroy()
    await reader.cancel().catch(() => undefined)
  }
}
