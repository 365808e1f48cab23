import { isSessionError } from '../base/errors.ts'
import { outsideRequests } from '../base/outside-requests.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { noResponse } from '../transport/exchange.ts'
import type { HttpRequest } from '../transport/exchange.ts'
import type { GetSessionOptions } from '../transport/get-session-options.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'

/**
 * Why a connection must end. `unauthorised`: the session has ended. `try refresh token`: only the access token has
 * expired, so the client can refresh and connect again.
 */
export type ConnectionEnd = 'unauthorised' | 'try refresh token'

/** Ends connections that were opened with a session when that session can no longer be used. */
export interface ConnectionWatch {
  /** Calls `end` once, as soon as the session of the opening request can no longer be used. Returns a stop function. */
  watch(request: HttpRequest, end: (reason: ConnectionEnd) => void): () => void
}

interface Connection {
  readonly request: HttpRequest
  /** When its access token expires. */
  readonly expiry: EpochMilliseconds
  readonly end: (reason: ConnectionEnd) => void
}

/**
 * Creates a watch. A revocation ends the connection as soon as this process learns of it. The expiry of an access token
 * causes no event, so it is checked every `interval`, without a store call. Only the connection whose token expires
 * first is checked: while its token is valid, all later ones are too.
 *
 * No connection outlives its access token. After that time this process may have forgotten a revocation, an idle
 * session ends without a notification, and the claims are too old to trust. For the same reason a failing store ends no
 * connection: the change log keeps a revocation for as long as the tokens of its session live, and this process reads
 * it when the store is back. `onError` is called when the store could not be read.
 */
export function createConnectionWatch<Payload extends object, Info extends object>(
  http: Pick<HttpSessions<Payload, Info>, 'getSession'>,
  interval: Milliseconds,
  onError: (error: unknown) => void,
): ConnectionWatch {
  // Sorted by expiry, earliest first.
  const connections: Connection[] = []
  let timer: ReturnType<typeof setTimeout> | null = null

  function add(connection: Connection): () => void {
    // All tokens have about the same lifetime, so a new one belongs near the end.
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
    timer = outsideRequests(() => setTimeout(() => {
      void endExpired().catch(onError).finally(() => {
        timer = null
        plan()
      })
    }, interval))
    timer.unref()
  }

  async function endExpired(): Promise<void> {
    let [first] = connections
    while (first !== undefined && !await isUsable(first)) [first] = connections
  }

  /** Whether the session of a connection can still be used. If not, ends the connection. */
  async function isUsable({ request, end }: Connection): Promise<boolean> {
    try {
      // Revocations arrive through `onRevoked`.
      await find(request, { blacklisting: 'off' })
      return true
    } catch (error) {
      const reason = reasonOf(error)
      if (reason === null) onError(error)
      else end(reason)
      return reason === null
    }
  }

  /** Finds the session of a connection. The origin was checked at the handshake. */
  function find(request: HttpRequest, options: GetSessionOptions<Payload>): Promise<Session<Payload, Info>> {
    return http.getSession({ request, reply: noResponse }, { ...options, csrf: false })
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
      find(request, {}).then(session => {
        if (stopped) return
        const stopListening = session.onRevoked(() => endOnce('unauthorised'))
        const remove = add({ request, expiry: session.getExpiry(), end: endOnce })
        forget = () => {
          stopListening()
          remove()
        }
      }, (error: unknown) => {
        const reason = reasonOf(error)
        if (reason === null) onError(error)
        // A session that could not be read cannot be watched. The client can connect again when the store is back.
        endOnce(reason ?? 'try refresh token')
      })
      return stop
    },
  }
}

/** Why this error ends a connection; null if it does not, because the state of the session is unknown. Pure. */
function reasonOf(error: unknown): ConnectionEnd | null {
  if (!isSessionError(error)) return null
  if (error.code === 'UNAUTHORIZED') return 'unauthorised'
  return error.code === 'TRY_REFRESH_TOKEN' ? 'try refresh token' : null
}
