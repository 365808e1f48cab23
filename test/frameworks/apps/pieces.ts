/** A body of two chunks. The second waits for the gate. */
export function pieces(gate: () => Promise<void>): ReadableStream<Uint8Array> {
  const utf8 = new TextEncoder()
  return new ReadableStream({
    start(controller) {
      controller.enqueue(utf8.encode('one\n'))
    },
    async pull(controller) {
      await gate()
      controller.enqueue(utf8.encode('two\n'))
      controller.close()
    },
  }, { highWaterMark: 0 })
}
