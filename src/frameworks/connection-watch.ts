import { isSessionError } from '../base/errors.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import { noResponse } from '../transport/exchange.ts'
import type { HttpRequest } from '../transport/exchange.ts'
import type { GetSessionOptions } from '../transport/get-session.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'

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
 * tells, the end of an access token, is looked for each `interval`, without a store call: of all connections only the
 * one whose token ends first is judged, since as long as that one holds, so do the others.
 *
 * No connection outlives its access token. Past it a revocation may be forgotten, an idle session ends without a word,
 * and the claims are too old to be believed. That bound is also why a store that can not be read ends nothing: a
 * revocation is remembered for as long as the tokens of its session live, and heard of when the store is back.
 * `onError` hears of a store that could not be asked.
 */
export function createConnectionWatch<Payload extends object, Info extends object>(
  http: Pick<HttpSessions<Payload, Info>, 'getSession'>,
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
    let [first] = connections
    while (first !== undefined && !await holds(first)) [first] = connections
  }

  /** Whether a connection may stay. If not, it has been ended. */
  async function holds({ request, end }: Connection): Promise<boolean> {
    try {
      // Of a revocation the session tells.
      await find(request, { blacklisting: 'off' })
      return true
    } catch (error) {
      const reason = reasonOf(error)
      if (reason === null) onError(error)
      else end(reason)
      return reason === null
    }
  }

  /** Finds the session of a connection. The handshake was the place to ask for the origin. */
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
        // A session that could not be looked at can not be watched: its client may come back when it can.
        endOnce(reason ?? 'try refresh token')
      })
      return stop
    },
  }
}

/** What the failure to find a session means for its connection; null: nothing, since nobody could tell. Pure. */
function reasonOf(error: unknown): ConnectionEnd | null {
  if (!isSessionError(error)) return null
  if (error.code === 'UNAUTHORIZED') return 'unauthorised'
  return error.code === 'TRY_REFRESH_TOKEN' ? 'try refresh token' : null
}
