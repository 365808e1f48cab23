// Learns of a revocation at once, from a response that stays open.

/** Calls back when the session of `send`, a client's `fetch`, was revoked. Returns how to stop. */
export function onRevoked(send, revoked) {
  const stopping = new AbortController()
  void (async () => {
    while (!stopping.signal.aborted) {
      try {
        const response = await send('/live', { signal: stopping.signal })
        if (response.status === 401) return
        let text = ''
        for await (const part of response.body.pipeThrough(new TextDecoderStream())) text += part
        if (text.includes('event: revoked')) return revoked()
      } catch {
        // The server cannot be reached: try again.
      }
      await new Promise(resolve => setTimeout(resolve, 2000))
    }
  })()
  return () => stopping.abort()
}
