import type { IncomingMessage, ServerResponse } from 'node:http'
import { mapAwaitable, catchAwaitable } from '../base/awaitable.ts'
import type { Awaitable } from '../base/awaitable.ts'
import { checkOptions } from '../base/options.ts'
import type { HttpExchange } from '../transport/exchange.ts'
import { checkGuardOptions } from '../transport/get-session-options.ts'
import { isCompleteResponse } from '../transport/get-session.ts'
import type { RequireSessionOptions } from '../transport/get-session-options.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { defineAdapter } from './define-adapter.ts'
import type { AdapterCalls } from './define-adapter.ts'
import { checkGuardArguments, mustBeCalled } from './must-be-called.ts'
import { nodeExchange, nodeRequest, sendReply } from './node-exchange.ts'
import type { ClientIp } from './node-exchange.ts'
import { nodeRules } from './options.ts'

export type { ClientIp } from './node-exchange.ts'

/** Options of `nodeSessions`. */
export interface NodeOptions {
  /**
   * Returns the IP address of the client, or null. Needed behind a trusted proxy. Default: the peer of the connection.
   */
  readonly clientIp?: ClientIp<IncomingMessage>
  /**
   * Called with every error that is answered with 500 or 503, except a refresh that must wait (`REFRESH_BUSY`).
   * Default: `console.error`.
   */
  readonly onError?: (error: unknown, request: IncomingMessage) => void
}

/** A request listener of a node:http server. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => Awaitable<void>

/**
 * Runs before a listener. It resolves to true if it sent the response. Otherwise it has called `next`, if it was given,
 * and waited for it.
 */
export type NodeMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: () => unknown,
) => Promise<boolean>

/** A listener that is called with the session. */
export type NodeSessionHandler<Payload extends object, Info extends object> = (
  request: IncomingMessage,
  response: ServerResponse,
  session: Session<Payload, Info>,
) => unknown

type NodeTarget = [request: IncomingMessage, response: ServerResponse]

/** Sessions for handlers of node:http. Each middleware answers its own errors, and those of its `next`. */
export interface NodeSessions<Payload extends object, Info extends object>
  extends AdapterCalls<NodeTarget, NodeMiddleware, Payload, Info> {
  /**
   * Returns a listener that calls `handler` with the session, or answers with the error if there is no session. It
   * answers CORS preflights that reach it.
   */
  requireSession(handler: NodeSessionHandler<Payload, Info>, options?: RequireSessionOptions<Payload>): NodeListener
  /**
   * Returns a middleware that lets only requests with a session pass, whatever their method; later handlers call
   * `sessionOf`. It answers CORS preflights that reach it.
   */
  requireSession(options?: RequireSessionOptions<Payload>): NodeMiddleware
  /** Returns a function that answers any error that was caught. If the response has begun, it destroys the response. */
  errorHandler(): (error: unknown, request: IncomingMessage, response: ServerResponse) => void
}

/**
 * Adds the calls for node:http to `sessions`, which `createSessions` returns.
 * @throws GeneralError (`MISUSE`) that names an invalid option.
 * @example
 * const sessions = nodeSessions(createSessions({ origin: 'https://app.example.com' }))
 */
export function nodeSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: NodeOptions = {},
): Rest & NodeSessions<Payload, Info> {
  checkOptions('nodeSessions', nodeRules, options)
  const { http } = sessions
  const exchangeOf = (request: IncomingMessage, response: ServerResponse): HttpExchange =>
    nodeExchange(request, response, options.clientIp)

  const { calls, answer } = defineAdapter<NodeTarget, NodeMiddleware, Payload, Info>(http, {
    call: use => (request, response, ...rest) => use(exchangeOf(request, response), ...rest),
    request: request => nodeRequest(request, options.clientIp),
    body: request => request,
    middleware: step => async (request, response, next) => {
      try {
        const reply = await step(exchangeOf(request, response), request)
        if (reply === null) {
          await next?.()
          return false
        }
        sendReply(request, response, reply)
      } catch (error) {
        answerError(error, request, response)
      }
      return true
    },
    onError: options.onError,
  })

  function answerError(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    const reply = answer(error, request)
    if (response.headersSent) response.destroy()
    else sendReply(request, response, reply)
  }

  function requireSession(
    handler: NodeSessionHandler<Payload, Info>,
    options?: RequireSessionOptions<Payload>,
  ): NodeListener
  function requireSession(options?: RequireSessionOptions<Payload>): NodeMiddleware
  function requireSession(
    first?: NodeSessionHandler<Payload, Info> | RequireSessionOptions<Payload>,
    second?: RequireSessionOptions<Payload>,
    ...others: readonly unknown[]
  ): NodeListener | NodeMiddleware {
    checkGuardArguments([first, second, ...others])
    if (typeof first !== 'function') return calls.requireSession(first)
    const sessionOptions = second ?? {}
    checkGuardOptions(sessionOptions, http.policy)
    return (request: IncomingMessage, response: ServerResponse) => catchAwaitable(
      () => mapAwaitable(http.guard(exchangeOf(request, response), sessionOptions), admitted => (
        isCompleteResponse(admitted) ? sendReply(request, response, admitted) : first(request, response, admitted)
      )),
      error => answerError(error, request, response),
    )
  }

  const adapter: NodeSessions<Payload, Info> = {
    ...calls,
    requireSession,
    errorHandler: mustBeCalled('errorHandler', () => answerError),
  }
  return { ...sessions, ...adapter }
}
