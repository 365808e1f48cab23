// A custom adapter: sessions for itty-router, which runs on any runtime with web requests.
import {
  defineAdapter, isSessionError, mustBeCalled, toResponse, WebResponseWriter, WebRequest, withHeaders,
} from 'keyturn/adapters'
import type { AdapterCalls, HttpExchange, HttpSessions, StreamedResponse } from 'keyturn/adapters'

/** A middleware of itty-router, which runs before a handler. If it returns a response, no handler runs. */
type IttyMiddleware = (request: Request) => Promise<Response | undefined>

/** The calls of every adapter, and two for the `catch` and `finally` of itty-router. */
export interface IttySessions<Payload extends object, Info extends object>
  extends AdapterCalls<[request: Request], IttyMiddleware, Payload, Info> {
  /** For `catch`: answers Keyturn's errors and rethrows other errors. */
  errorHandler(): (error: unknown, request: Request) => Response
  /** For `finally`, as the last: adds the headers and cookies of the calls to the response. */
  finish(): (response: Response, request: Request) => Response
}

export interface IttyOptions {
  readonly onError?: (error: unknown, request: Request) => void
}

/** Adds the calls for itty-router to `sessions`. */
export function ittySessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  { onError }: IttyOptions = {},
): Rest & IttySessions<Payload, Info> {
  // The response is created after the calls of its handler, so their headers are kept here until then.
  const replies = new WeakMap<Request, WebResponseWriter>()
  const requestOf = (request: Request): WebRequest => new WebRequest(request, () => null)

  function exchangeOf(request: Request): HttpExchange {
    const reply = replies.get(request) ?? new WebResponseWriter()
    replies.set(request, reply)
    return { request: requestOf(request), reply }
  }

  const { calls, answer } = defineAdapter<[request: Request], IttyMiddleware, Payload, Info>(sessions.http, {
    call: use => (request, ...rest) => use(exchangeOf(request), ...rest),
    request: requestOf,
    middleware: step => async request => {
      const reply = await step(exchangeOf(request), request)
      return reply === null ? undefined : toAnswer(reply, request)
    },
    onError,
  })

  const adapter: IttySessions<Payload, Info> = {
    ...calls,
    errorHandler: mustBeCalled('errorHandler', () => (error, request) => {
      if (!isSessionError(error)) throw error
      return toAnswer(answer(error, request), request)
    }),
    finish: () => (response, request) => {
      const reply = replies.get(request)
      if (reply === undefined) return response
      reply.close()
      return withHeaders(response, reply.headers)
    },
  }
  return { ...sessions, ...adapter }
}

function toAnswer(reply: StreamedResponse, request: Request): Response {
  return toResponse(reply, new Headers(), request.method)
}
