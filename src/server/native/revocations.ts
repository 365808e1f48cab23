import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Milliseconds } from '../../base/time.ts'
import type { Application } from '../application.ts'
import { writeStream } from './stream/write-stream.ts'

/** The streams of server-sent events from which verifiers learn of revocations. */
export interface RevocationStreams {
  /** Starts a stream that lasts until either side ends it. Returns false, and writes nothing, if there are too many. */
  serve(app: Application, request: IncomingMessage, response: ServerResponse): boolean
  /** Ends all streams. Their clients connect again, to another server. */
  close(): Promise<void>
}

interface RevocationStreamsDependencies {
  /** The most connections of the server. */
  readonly maxConnections: number
  /** Called with an error that ends a stream. */
  readonly onError: (error: unknown) => void
}

const MAX_STREAMS = 10_000

/** A client that accepts nothing for this long has its stream ended. Heartbeats are more frequent. */
const STALL_LIMIT: Milliseconds = 60_000

/** Clients wait between this and three times as long before they connect again. */
const RETRY: Milliseconds = 1000

/** The most streams of a server: requests need connections too, which streams keep. */
export function maxStreamsOf(maxConnections: number): number {
  return Math.min(MAX_STREAMS, Math.max(1, Math.floor(maxConnections * 3 / 4)))
}

/** Creates the streams of one server. */
export function createRevocationStreams(
  { maxConnections, onError }: RevocationStreamsDependencies,
): RevocationStreams {
  const maxStreams = maxStreamsOf(maxConnections)
  const running = new Set<{ readonly stop: AbortController; readonly ended: Promise<void> }>()
  return {
    serve(app, request, response) {
      if (running.size >= maxStreams) return false
      const stop = new AbortController()
      response.once('close', () => stop.abort())
      response.setTimeout(STALL_LIMIT, () => response.destroy())
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no',
      })
      // When a server stops, all its clients connect to the others: not in the same second.
      response.write(`retry: ${Math.round(RETRY * (1 + 2 * Math.random()))}\n\n`)
      const lastId = request.headers['last-event-id']
      const from = typeof lastId === 'string' && lastId !== '' ? lastId : null
      const stream = {
        stop,
        ended: writeStream(app.broadcast, from, response, stop)
          .catch(error => {
            if (!stop.signal.aborted) onError(error)
          })
          .finally(() => {
            running.delete(stream)
            response.end()
          }),
      }
      running.add(stream)
      return true
    },
    async close() {
      for (const { stop } of running) stop.abort()
      await Promise.all([...running].map(({ ended }) => ended))
    },
  }
}
