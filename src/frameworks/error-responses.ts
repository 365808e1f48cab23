import { isSessionError } from '../base/errors.ts'
import type { HttpRequest, CompleteResponse } from '../transport/exchange.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'

/** How an adapter answers errors, and which of them it reports to the application. */
export interface ErrorResponses<Source> {
  /** Calls `onError`, except for `REFRESH_BUSY`: the client repeats that refresh, so nobody has to act. */
  report(error: unknown, source: Source): void
  /** The response to an error. An error with a status of 500 or more is reported. */
  answer(error: unknown, source: Source, request: HttpRequest): CompleteResponse
}

/** Creates the error answers of one adapter. `Source` is the argument by which `onError` gets the request. */
export function createErrorResponses<Source>(
  http: Pick<HttpSessions<object, object>, 'errorReply'>,
  onError: (error: unknown, source: Source) => void = logError,
): ErrorResponses<Source> {
  function report(error: unknown, source: Source): void {
    if (isSessionError(error) && error.code === 'REFRESH_BUSY') return
    try {
      onError(error, source)
    } catch (failure) {
      // The client is still waiting for its answer, and nobody would catch this outside of a framework.
      logError(error)
      console.error('keyturn: onError threw:', failure)
    }
  }
  return {
    report,
    answer(error, source, request) {
      const reply = http.errorReply(error, request)
      if (reply.status >= 500) report(error, source)
      return reply
    },
  }
}

function logError(error: unknown): void {
  console.error('keyturn: a request failed:', error)
}
