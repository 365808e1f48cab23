import { runLater } from '../base/timer.ts'
import { RequestSession } from './session-object.ts'
import type { Session } from './session.ts'

/** How often a comment keeps the connection open, in milliseconds: proxies close silent ones after a minute. */
const HEARTBEAT = 25_000

/**
 * A body in the format of server-sent events that tells a page when its session is revoked, within a second: the event
 * `ended`, after which the stream ends. Send it from a GET route of your own with the type `text/event-stream`;
 * `endOnRevocation` of `keyturn/client/parts` listens to it. It ends when the access token expires; the page comes back
 * with the next one. After a page has gone, `pipeline` ends it with the next heartbeat, within 25 seconds. 0 store
 * calls.
 * @example
 * app.get('/session/events', async (request, response) => {
 *   const session = await sessions.getSession(request, response)
 *   response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
 *   await pipeline(revocationStream(session), response).catch(() => undefined) // the page has gone
 * })
 */
export function revocationStream(
  session: Pick<Session<object, object>, 'onRevoked' | 'getExpiry'>,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let stop = (): void => undefined
  return new ReadableStream({
    start(controller) {
      const now = session instanceof RequestSession ? session.now() : Date.now()
      const write = (text: string): void => controller.enqueue(encoder.encode(text))
      let cancelBeat = (): void => undefined
      const beat = (): void => {
        cancelBeat = runLater(beat, HEARTBEAT)
        write(':\n\n')
      }
      const finish = (): void => {
        stop()
        controller.close()
      }
      const cancelExpiry = runLater(finish, Math.min(Math.max(0, session.getExpiry() - now), 2 ** 31 - 1))
      const forget = session.onRevoked(() => {
        write('event: ended\ndata: {}\n\n')
        finish()
      })
      stop = () => {
        cancelBeat()
        cancelExpiry()
        forget()
      }
      beat()
    },
    cancel: () => stop(),
  })
}
