import { isSessionError } from '../base/errors.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { HttpRequest, ReplySink } from '../transport/exchange.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'

/**
 * Why a connection must end: its session has ended, or only its access token has, so that the client may refresh and
 * connect again.
 */
export type ConnectionEnd = 'unauthorised' | 'try refresh token'

/** Looks after the connections that were opened with a session. */
export interface ConnectionWatch {
  /** Calls `end` once, as soon as the session of the opening request can not be used any more. Returns how to stop. */
  watch(request: HttpRequest, end: (reason: ConnectionEnd) => void): () => void
}

interface Connection {
  readonly request: HttpRequest
  /** When its access token expires. */
  readonly expiry: EpochMilliseconds
  readonly end: (reason: ConnectionEnd) => void
}

/**
 * Makes a watch. A revocation is told by the session itself, in the moment that this process hears of it. What nobody
 * tells, the end of an access token, is looked for each `interval`: of all connections only the one whose token expires
 * first is judged, since as long as that one holds, so do the others.
 *
 * No connection outlives its access token. Past it a revocation may be forgotten, an idle session ends without a word,
 * and the claims are too old to be believed. That bound is also why a store that can not be read ends nothing: a
 * revocation is remembered for as long as the tokens of its session live, and heard of when the store is back.
 * `onError` hears of a store that could not be asked.
 */
export function createConnectionWatch<Payload extends object, Info extends object>(
  http: Pick<HttpSessions<Payload, Info>, 'getSession' | 'readSession'>,
  interval: Milliseconds,
  onError: (error: unknown) => void,
): ConnectionWatch {
  // The one that expires first comes first.
  const connections: Connection[] = []
  let timer: ReturnType<typeof setTimeout> | null = null

  function add(connection: Connection): () => void {
    // Tokens live about equally long, so a new one belongs near the end.
    const before = connections.findLastIndex(({ expiry }) => expiry <= connection.expiry)
    connections.splice(before + 1, 0, connection)
    plan()
    return () => {
      const index = connections.indexOf(connection)
      if (index !== -1) connections.splice(index, 1)
    }
  }

  function plan(): void {
    if (timer !== null || connections.length === 0) return
    timer = setTimeout(() => {
      void endExpired().catch(onError).finally(() => {
        timer = null
        plan()
      })
    }, interval)
    timer.unref()
  }

  async function endExpired(): Promise<void> {
    for (let first = connections[0]; first !== undefined; first = connections[0]) {
      const { kind } = await http.readSession(first.request)
      if (kind === 'active') return
      first.end(kind === 'none' ? 'unauthorised' : 'try refresh token')
    }
  }

  /** A session that could not be looked at can not be watched: its client may come back when it can. */
  function reasonOf(error: unknown): ConnectionEnd {
    if (isSessionError(error) && error.code === 'UNAUTHORIZED') return 'unauthorised'
    if (!isSessionError(error) || error.code !== 'TRY_REFRESH_TOKEN') onError(error)
    return 'try refresh token'
  }

  return {
    watch(request, end) {
      let stopped = false
      let forget = (): void => undefined
      const stop = (): void => {
        stopped = true
        forget()
      }
      const endOnce = (reason: ConnectionEnd): void => {
        if (stopped) return
        stop()
        end(reason)
      }
      // The handshake was the place to ask for the origin.
      http.getSession({ request, reply: nowhere }, { csrf: false }).then(session => {
        if (stopped) return
        const stopListening = session.onRevoked(() => endOnce('unauthorised'))
        const remove = add({ request, expiry: session.getExpiry(), end: endOnce })
        forget = () => {
          stopListening()
          remove()
        }
      }, (error: unknown) => endOnce(reasonOf(error)))
      return stop
    },
  }
}

/** An open connection has no response whose headers could be set. */
const nowhere: ReplySink = {
  closed: true,
  get: () => null,
  set: () => undefined,
  remove: () => undefined,
  getCookies: () => [],
  setCookies: () => undefined,
  forbidCaching: () => undefined,
}
