import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Milliseconds } from '../../base/time.ts'
import type { Change } from '../../session/store.ts'
import type { Application } from '../application.ts'

/** The streams of server-sent events from which verifiers learn of revocations. */
export interface RevocationStreams {
  /** Starts a stream that lasts until either side ends it. Returns false, and writes nothing, if there are too many. */
  serve(app: Application, request: IncomingMessage, response: ServerResponse): boolean
  /** Ends all streams. Their clients connect again, to another server. */
  close(): Promise<void>
}

const MAX_STREAMS = 256
const PAGE = 500
/** How often a comment is sent, so that both sides notice a broken connection. */
const HEARTBEAT: Milliseconds = 15_000

/** Creates the streams of one server. */
export function createRevocationStreams(onError: (error: unknown) => void): RevocationStreams {
  const running = new Set<{ readonly stop: AbortController; readonly ended: Promise<void> }>()
  return {
    serve(app, request, response) {
      if (running.size >= MAX_STREAMS) return false
      const stop = new AbortController()
      response.once('close', () => stop.abort())
      const lastId = request.headers['last-event-id']
      const stream = {
        stop,
        ended: write(app, typeof lastId === 'string' && lastId !== '' ? lastId : null, response, stop.signal)
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

async function write(app: Application, from: string | null, response: ServerResponse, signal: AbortSignal): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no',
  })
  response.write('retry: 1000\n\n')
  const changes = createWaiter(signal)
  const unfollow = await app.store.follow(changes.wake)
  const heartbeat = setInterval(() => response.write(':\n\n'), HEARTBEAT)
  try {
    let cursor = from
    let isSynced = false
    while (!signal.aborted) {
      const page = await app.store.changesSince(cursor, PAGE)
      cursor = page.cursor
      const last = page.changes.length - 1
      const text = page.changes.map((change, index) => eventOf(change, index === last ? cursor : null)).join('')
      if (text !== '' && !response.write(text)) await once(response, 'drain', { signal })
      if (page.more) continue
      if (!isSynced) response.write('event: synced\ndata: {}\n\n')
      isSynced = true
      await changes.wait(app.policy.pollInterval)
    }
  } finally {
    clearInterval(heartbeat)
    await unfollow()
  }
}

/** Only the last event of a page has an id, so that a client which reconnects with it has received the whole page. */
function eventOf(change: Change, id: string | null): string {
  const { kind, ...data } = change
  return `${id === null ? '' : `id: ${id}\n`}event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`
}

interface Waiter {
  readonly wake: () => void
  /** Waits until `wake` is called, but at most `limit`. Returns at once if it was called since the last wait. */
  wait(limit: Milliseconds): Promise<void>
}

function createWaiter(signal: AbortSignal): Waiter {
  let isAwake = false
  let finish: (() => void) | null = null
  const wake = (): void => {
    isAwake = true
    finish?.()
  }
  signal.addEventListener('abort', wake)
  return {
    wake,
    async wait(limit) {
      if (!isAwake) {
        await new Promise<void>(resolve => {
          const timer = setTimeout(resolve, limit)
          finish = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      finish = null
      isAwake = false
    },
  }
}
