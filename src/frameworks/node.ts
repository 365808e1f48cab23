import type { IncomingMessage, ServerResponse } from 'node:http'
import { andThen, orElse } from '../base/awaitable.ts'
import type { Awaitable } from '../base/awaitable.ts'
import { checkOptions } from '../base/options.ts'
import { checkSessionOptions, isAnswer } from '../transport/get-session.ts'
import type { SessionOptions } from '../transport/get-session.ts'
import { typedByOptions } from '../transport/http-sessions.ts'
import type { CreateNewSession, GetSession, HttpSessions, RefreshSession } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { nodeExchange, sendReply } from './node-exchange.ts'
import type { ClientIp } from './node-exchange.ts'
import { nodeRules } from './options.ts'

export type { ClientIp } from './node-exchange.ts'

/** What the adapter for node:http may be told. */
export interface NodeOptions {
  /** Who sent a request, where a trusted proxy says so. Default: the peer of the connection. */
  readonly clientIp?: ClientIp<IncomingMessage>
  /** Hears of every error that was answered with 500 or 503. Default: `console.error`. */
  readonly onError?: (error: unknown, request: IncomingMessage) => void
}

/** Sessions for handlers of node:http. */
export interface NodeSessions<Payload extends object, Info extends object> {
  readonly createNewSession: CreateNewSession<NodeTarget, Payload, Info>
  readonly getSession: GetSession<NodeTarget, Payload, Info>
  readonly refreshSession: RefreshSession<NodeTarget, Payload, Info>
  /**
   * Makes a listener that is called with the session, or answers with the error if there is none. It answers CORS
   * preflights itself.
   */
  requireSession(
    handler: (request: IncomingMessage, response: ServerResponse, session: Session<Payload, Info>) => unknown,
    options?: SessionOptions<Payload>,
  ): NodeListener
  /**
   * Makes the listener for Keyturn's own routes: refresh, sign-out, key set. Resolves to whether it answered;
   * otherwise it calls `next`, if there is one.
   */
  sessionRoutes(): (request: IncomingMessage, response: ServerResponse, next?: () => void) => Promise<boolean>
  /** Makes the listener that writes CORS headers for the trusted origins. True if it answered: a preflight. */
  cors(): (request: IncomingMessage, response: ServerResponse, next?: () => void) => boolean
  /** Answers with an error that was caught; ends a response that has begun. */
  sendError(error: unknown, request: IncomingMessage, response: ServerResponse): void
}

type NodeTarget = [request: IncomingMessage, response: ServerResponse]
type NodeListener = (request: IncomingMessage, response: ServerResponse) => Awaitable<void>

/** Gives sessions the shape of node:http. */
export function nodeSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: NodeOptions = {},
): Rest & NodeSessions<Payload, Info> {
  checkOptions('nodeSessions', nodeRules, options)
  const { http } = sessions
  const report = options.onError ?? ((error: unknown): void => console.error('keyturn: a request failed:', error))
  const exchangeOf = (request: IncomingMessage, response: ServerResponse): ReturnType<typeof nodeExchange> =>
    nodeExchange(request, response, options.clientIp)

  function sendError(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    const reply = http.errorReply(error, exchangeOf(request, response).request)
    if (reply.status >= 500) report(error, request)
    if (response.headersSent) response.destroy()
    else sendReply(request, response, reply)
  }

  const adapter: NodeSessions<Payload, Info> = {
    createNewSession: (request, response, ...rest) => http.createNewSession(exchangeOf(request, response), ...rest),
    getSession: typedByOptions((request, response, argument) => (
      http.getSession(exchangeOf(request, response), argument)
    )),
    refreshSession: (request, response) => http.refreshSession(exchangeOf(request, response)),
    requireSession(handler, sessionOptions = {}) {
      checkSessionOptions(sessionOptions)
      return (request, response) => orElse(
        () => andThen(
          http.guard(exchangeOf(request, response), sessionOptions),
          admitted => isAnswer(admitted)
            ? sendReply(request, response, admitted)
            : handler(request, response, admitted),
        ),
        error => sendError(error, request, response),
      )
    },
    sessionRoutes: () => async (request, response, next) => {
      try {
        const reply = await http.handleSessionRoute(exchangeOf(request, response))
        if (reply === null) {
          next?.()
          return false
        }
        sendReply(request, response, reply)
      } catch (error) {
        sendError(error, request, response)
      }
      return true
    },
    cors: () => (request, response, next) => {
      const reply = http.applyCors(exchangeOf(request, response))
      if (reply === null) next?.()
      else sendReply(request, response, reply)
      return reply !== null
    },
    sendError,
  }
  return { ...sessions, ...adapter }
}
