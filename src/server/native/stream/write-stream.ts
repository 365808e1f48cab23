import { once } from 'node:events'
import type { EventEmitter } from 'node:events'
import type { Broadcast, BroadcastMember } from './broadcast.ts'
import type { EventPage } from './event-page.ts'

/** The part of a response that a stream writes to. */
export interface StreamOutput extends EventEmitter {
  write(bytes: Buffer | string): boolean
  readonly writableLength: number
  readonly writableNeedDrain: boolean
  readonly destroyed: boolean
  destroy(): unknown
}

/** How many bytes wait for a client that reads more slowly than events come. Beyond that, its stream is ended. */
const MAX_WAITING_BYTES = 1_048_576

/** Pages that came while a stream was still reading its backlog. */
interface Collected {
  pages: EventPage[]
  bytes: number
}

/**
 * Writes the changes after a cursor until `stop` aborts: first the backlog, from the store and no faster than the
 * client reads it; then `synced`; then what the broadcast passes on. No change is missed in between: the last page of
 * the backlog is read while the pages of the broadcast are collected. A change may be written twice, which is harmless.
 */
export async function writeStream(
  broadcast: Broadcast,
  from: string | null,
  output: StreamOutput,
  stop: AbortController,
): Promise<void> {
  const { signal } = stop
  let isLive = false
  let collected: Collected = { pages: [], bytes: 0 }
  const member: BroadcastMember = {
    receive(page) {
      if (signal.aborted || output.destroyed) return
      if (!isLive) collect(collected, page)
      // What is waiting is dropped with the connection. The client connects again with the last id that it has read.
      else if (output.writableLength > MAX_WAITING_BYTES) output.destroy()
      else output.write(page.bytes)
    },
    beat() {
      if (!signal.aborted && !output.destroyed && !output.writableNeedDrain) output.write(':\n\n')
    },
    end: () => stop.abort(),
  }

  broadcast.join(member)
  try {
    let cursor = from
    while (!isLive) {
      collected = { pages: [], bytes: 0 }
      const wasLive = broadcast.isLive()
      const page = await broadcast.read(cursor, signal)
      cursor = page.cursor
      if (page.bytes.length > 0 && !output.write(page.bytes)) await once(output, 'drain', { signal })
      if (page.more) continue
      isLive = wasLive ? collected.bytes <= MAX_WAITING_BYTES : broadcast.continuesAt(cursor)
    }
    for (const page of collected.pages) output.write(page.bytes)
    collected = { pages: [], bytes: 0 }
    output.write('event: synced\ndata: {}\n\n')
    if (!signal.aborted) await once(signal, 'abort')
  } finally {
    broadcast.leave(member)
  }
}

/** Beyond the limit, nothing is kept: the stream reads on from the store. */
function collect(collected: Collected, page: EventPage): void {
  collected.bytes += page.bytes.length
  if (collected.bytes > MAX_WAITING_BYTES) collected.pages = []
  else collected.pages.push(page)
}
