import { expect, test } from 'vitest'
import { sendStream } from './send-stream.ts'
import type { StreamTarget } from './send-stream.ts'

const piece = new Uint8Array([1])

/** A response that takes `capacity` pieces before it is full. */
function createTarget(
  capacity: number,
): StreamTarget & { readonly log: string[]; emit(event: 'close' | 'drain'): void } {
  const log: string[] = []
  const listeners: { event: string; listener: () => void }[] = []
  let left = capacity
  return {
    log,
    write: () => {
      log.push('write')
      return --left > 0
    },
    end: () => log.push('end'),
    destroy: () => log.push('destroy'),
    once: (event, listener) => listeners.push({ event, listener }),
    emit(event) {
      left = capacity
      for (const each of listeners.splice(0)) {
        if (each.event === event) each.listener()
        else listeners.push(each)
      }
    },
  }
}

function streamOf(pieces: number, log: string[] = [], failure: Error | null = null): ReadableStream<Uint8Array> {
  let given = 0
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (given++ < pieces) controller.enqueue(piece)
      else if (failure !== null) controller.error(failure)
      else controller.close()
    },
    cancel() {
      log.push('cancelled')
    },
  }, { highWaterMark: 0 })
}

const settle = (): Promise<void> => new Promise(resolve => {
  setImmediate(resolve)
})

test('CON-17: a stream is written as fast as the client reads', async () => {
  const target = createTarget(2)
  const sent = sendStream(streamOf(3), target)
  await settle()
  expect(target.log).toEqual(['write', 'write'])
  target.emit('drain')
  await sent
  expect(target.log).toEqual(['write', 'write', 'write', 'end'])
})

test('CON-17: a stream that fails cuts the response off', async () => {
  const target = createTarget(9)
  await sendStream(streamOf(1, [], new Error('the store is away')), target)
  expect(target.log).toEqual(['write', 'destroy'])
})

test('CON-17: a client that goes away ends the stream, also while it is waited for', async () => {
  const target = createTarget(1)
  const log: string[] = []
  const sent = sendStream(streamOf(9, log), target)
  await settle()
  target.emit('close')
  await sent
  expect([target.log, log]).toEqual([['write', 'destroy'], ['cancelled']])
})
