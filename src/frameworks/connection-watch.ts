import type { HttpRequest } from '../transport/exchange.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'

/**
 * Why a connection must end: its session has ended, or only its access token has, so that the client may refresh and
 * connect again. A connection may not outlive its access token: revocations are remembered no longer than that.
 */
export type ConnectionEnd = 'unauthorised' | 'try refresh token'

/** Looks after the connections that were opened with a session. */
export interface ConnectionWatch {
  /** Calls `end` once, as soon as the session of the opening request can not be used any more. Returns how to stop. */
  watch(request: HttpRequest, end: (reason: ConnectionEnd) => void): () => void
}

/**
 * Makes a watch that judges the token of every open connection anew, each `interval` milliseconds: one timer, and no
 * store call unless revocation is `strict`. `onError` hears of a store that could not be asked; nothing is ended then.
 */
export function createConnectionWatch(
  http: Pick<HttpSessions<object, object>, 'readSession'>,
  interval: number,
  onError: (error: unknown) => void,
): ConnectionWatch {
  const connections = new Map<HttpRequest, (reason: ConnectionEnd) => void>()
  let timer: ReturnType<typeof setTimeout> | null = null

  function plan(): void {
    if (timer !== null || connections.size === 0) return
    timer = setTimeout(() => {
      void judgeAll().finally(() => {
        timer = null
        plan()
      })
    }, interval)
    timer.unref()
  }

  async function judgeAll(): Promise<void> {
    for (const [request, end] of [...connections]) {
      try {
        const { kind } = await http.readSession(request)
        if (kind === 'active' || !connections.delete(request)) continue
        end(kind === 'none' ? 'unauthorised' : 'try refresh token')
      } catch (error) {
        onError(error)
      }
    }
  }

  return {
    watch(request, end) {
      connections.set(request, end)
      plan()
      return () => connections.delete(request)
    },
  }
}
