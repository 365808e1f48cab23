import * as wire from '../base/wire.ts'
import type { TransferMode } from '../base/wire.ts'
import type { ClientEnvironment } from './environment.ts'
import { sessionHeaders } from './server-reply.ts'
import type { SessionState } from './session-state.ts'

/** How long a request of the client's own may take, in milliseconds. */
const TIMEOUT = 10_000

/** Sends the client's own requests: refreshes and sign-outs. */
export interface OwnRequests {
  /**
   * Sends a request for the session of this generation, and reads the response with `read`. Rejects after 10 seconds,
   * and if another generation begins. With `keepalive` the browser sends it even if the page closes; then it also
   * applies the cookies of a response that the client has aborted.
   */
  post<Result>(
    url: string,
    generation: number | undefined,
    antiCsrf: string | undefined,
    bearer: string | undefined,
    keepalive: boolean,
    read: (response: Response) => Promise<Result>,
  ): Promise<Result>
  /** Aborts the requests of other generations than this record's. */
  supersede(record: SessionState): void
}

/** Creates the sender of one tab. */
export function createOwnRequests(env: ClientEnvironment, mode: TransferMode): OwnRequests {
  const running = new Map<AbortController, number | undefined>()
  return {
    async post(url, generation, antiCsrf, bearer, keepalive, read) {
      const controller = new AbortController()
      const stop = env.after(TIMEOUT, () => controller.abort())
      running.set(controller, generation)
      try {
        return await read(await env.fetch(url, {
          method: 'POST',
          headers: [[wire.customHeader, 'session'], ...sessionHeaders(mode, antiCsrf, bearer)],
          credentials: mode === 'cookie' ? 'include' : 'omit',
          // Never send a token to the target of a redirect.
          redirect: 'error',
          keepalive,
          signal: controller.signal,
        }))
      } finally {
        stop()
        running.delete(controller)
      }
    },
    supersede({ generation }) {
      for (const [controller, own] of running) if (own !== generation) controller.abort()
    },
  }
}
