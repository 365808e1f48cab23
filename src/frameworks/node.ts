import type { IncomingMessage, ServerResponse } from 'node:http'
import { mapAwaitable, catchAwaitable } from '../base/awaitable.ts'
import type { Awaitable } from '../base/awaitable.ts'
import { checkOptions } from '../base/options.ts'
import type { HttpExchange } from '../transport/exchange.ts'
import { checkGetSessionOptions, isAnswer } from '../transport/get-session.ts'
import type { GetSessionOptions } from '../transport/get-session.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { defineAdapter } from './define-adapter.ts'
import type { AdapterCalls } from './define-adapter.ts'
import { checkGuardArguments, mustBeCalled } from './must-be-called.ts'
import { nodeExchange, nodeRequest, sendReply } from './node-exchange.ts'
import type { ClientIp } from './node-exchange.ts'
import { nodeRules } from './options.ts'

export type { ClientIp } from './node-exchange.ts'

/** What the adapter for node:http may be told. */
export interface NodeOptions {
  /** Who sent a request, where a trusted proxy says so. Default: the peer of the connection. */
  readonly clientIp?: ClientIp<IncomingMessage>
  /**
   * Hears of every error that was answered with 500 or 503, but not of a refresh that was told to
   * wait (`REFRESH_BUSY`). Default: `console.error`.
   */
  readonly onError?: (error: unknown, request: IncomingMessage) => void
}

/** A listener of requests. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => Awaitable<void>

/**
 * What runs before a listener. Resolves to whether it answered; if it did not, it has called `next`, where there is
 * one, and waited for it.
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
   * Makes a listener that is called with the session, or answers with the error if there is none. It answers CORS
   * preflights itself.
   */
  requireSession(handler: NodeSessionHandler<Payload, Info>, options?: GetSessionOptions<Payload>): NodeListener
  /**
   * Makes a middleware that lets only requests with a session pass, whatever their method; the next ones call
   * `sessionOf`. It answers CORS preflights itself.
   */
  requireSession(options?: GetSessionOptions<Payload>): NodeMiddleware
  /** Makes what answers with an error that was caught, whatever it is; it ends a response that has begun. */
  errorHandler(): (error: unknown, request: IncomingMessage, response: ServerResponse) => void
}

/** Gives sessions the shape of node:http. */
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

  function requireSession(handler: NodeSessionHandler<Payload, Info>, options?: GetSessionOptions<Payload>): NodeListener
  function requireSession(options?: GetSessionOptions<Payload>): NodeMiddleware
  function requireSession(
    first?: NodeSessionHandler<Payload, Info> | GetSessionOptions<Payload>,
    second?: GetSessionOptions<Payload>,
    ...others: readonly unknown[]
  ): NodeListener | NodeMiddleware {
    checkGuardArguments([first, second, ...others])
    if (typeof first !== 'function') return calls.requireSession(first)
    const sessionOptions = second ?? {}
    checkGetSessionOptions(sessionOptions)
    return (request: IncomingMessage, response: ServerResponse) => catchAwaitable(
      () => mapAwaitable(http.guard(exchangeOf(request, response), sessionOptions), admitted => (
        isAnswer(admitted) ? sendReply(request, response, admitted) : first(request, response, admitted)
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
