import { isSessionError } from '../base/errors.ts'
import type { HttpRequest, CompleteResponse } from '../transport/exchange.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'

/** How an adapter answers errors, and which of them the application hears of. */
export interface ErrorAnswers<Source> {
  /** Tells `onError` of a failure, unless it is one that ends by itself: a refresh that was told to wait. */
  report(error: unknown, source: Source): void
  /** The answer to an error. One with a status of 500 or more is reported. */
  answer(error: unknown, source: Source, request: HttpRequest): CompleteResponse
}

/** Makes the answers of one adapter. `Source` is what its `onError` is told of the request. */
export function createErrorAnswers<Source>(
  http: Pick<HttpSessions<object, object>, 'errorReply'>,
  onError: (error: unknown, source: Source) => void = logError,
): ErrorAnswers<Source> {
  function report(error: unknown, source: Source): void {
    if (!isSessionError(error) || error.code !== 'REFRESH_BUSY') onError(error, source)
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
