import type { IncomingMessage } from 'node:http'
import { GeneralError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import * as wire from '../base/wire.ts'
import type { HttpRequest } from '../transport/exchange.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { ReadonlySession } from '../transport/session.ts'
import { createConnectionWatch } from './connection-watch.ts'
import { createErrorResponses } from './error-responses.ts'
import { mustBeCalled } from './must-be-called.ts'
import { nodeRequest } from './node-exchange.ts'
import type { ClientIp } from './node-exchange.ts'
import { toMilliseconds } from '../base/duration.ts'
import type { Duration } from '../base/duration.ts'
import { checkIntervalRule, socketIoRules } from './options.ts'

/** Options of `socketIoSessions`. */
export interface SocketIoOptions {
  /**
   * Returns the IP address of the client, or null. Needed behind a trusted proxy. Default: the peer of the connection.
   */
  readonly clientIp?: ClientIp<IncomingMessage>
  /** How often to check whether access tokens of open sockets have expired: from 10 ms to 1 hour. Default: 1 second. */
  readonly checkInterval?: Duration
  /**
   * Called with every error that a client gets as 500 or 503, except a refresh that must wait (`REFRESH_BUSY`).
   * Default: `console.error`.
   */
  readonly onError?: (error: unknown, request: IncomingMessage) => void
}

/** The part of a `Socket` of Socket.IO that Keyturn uses. */
export interface SocketIoSocket {
  readonly request: IncomingMessage
  readonly handshake: { readonly auth: Readonly<Record<string, unknown>> }
  emit(event: 'session-ended', reason: string): boolean
  disconnect(close: boolean): unknown
  once(event: 'disconnect', listener: () => void): unknown
}

/** A middleware for `io.use` or a namespace. */
export type SocketIoMiddleware = (socket: SocketIoSocket, next: (error?: Error) => void) => void

/** Sessions for Socket.IO. */
export interface SocketIoSessions<Payload extends object> {
  /**
   * Verifies the session of a handshake, by its cookies, by its bearer token, or by an access token in `auth.token`.
   * With cookies, the origin must be trusted.
   * @throws UnauthorizedError, TryRefreshTokenError, CrossSiteRequestError, GeneralError
   */
  authenticate(socket: SocketIoSocket): Promise<ReadonlySession<Payload>>
  /**
   * Emits `session-ended` with the reason and disconnects the socket as soon as this process learns that the session
   * has ended, and when its access token expires.
   */
  disconnectWithSession(socket: SocketIoSocket): void
  /**
   * Returns the middleware that accepts only sockets with a session, and disconnects them when it ends. A refused
   * client gets a `connect_error` whose `data` has the `status` and `message` of the HTTP response.
   */
  requireSession(): SocketIoMiddleware
  /** The session that `requireSession` found. @throws GeneralError (`MISUSE`) if it did not run for this socket. */
  sessionOf(socket: SocketIoSocket): ReadonlySession<Payload>
}

/**
 * Adds the calls for Socket.IO to `sessions`, which `createSessions` returns.
 * @throws GeneralError (`MISUSE`) that names an invalid option.
 * @example
 * const sessions = socketIoSessions(createSessions({ origin, store }))
 */
export function socketIoSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: SocketIoOptions = {},
): Omit<Rest, keyof SocketIoSessions<Payload>> & SocketIoSessions<Payload> {
  checkOptions('socketIoSessions', socketIoRules, options)
  const { http } = sessions
  const errors = createErrorResponses<IncomingMessage>(http, options.onError)
  const found = new WeakMap<SocketIoSocket, ReadonlySession<Payload>>()
  const checkInterval = toMilliseconds(options.checkInterval ?? checkIntervalRule.defaultValue)
  const watches = createConnectionWatch(http, checkInterval, error => {
    console.error('keyturn: an open socket could not be checked:', error)
  })
  const readable = (socket: SocketIoSocket): HttpRequest =>
    withBearer(nodeRequest(socket.request, options.clientIp), socket.handshake.auth['token'])
  const authenticate = (socket: SocketIoSocket): Promise<ReadonlySession<Payload>> =>
    http.authenticateHandshake(readable(socket))

  function disconnectWithSession(socket: SocketIoSocket): void {
    const stop = watches.watch(readable(socket), reason => {
      socket.emit('session-ended', reason)
      socket.disconnect(true)
    })
    socket.once('disconnect', stop)
  }

  function refusalOf(error: unknown, socket: SocketIoSocket): Error {
    const { status, body } = errors.answer(error, socket.request, readable(socket))
    const answer: unknown = JSON.parse(body)
    const message = typeof answer === 'object' && answer !== null && 'message' in answer ? String(answer.message) : ''
    return Object.assign(new Error(message), { data: { status, message } })
  }

  const adapter: SocketIoSessions<Payload> = {
    authenticate,
    disconnectWithSession,
    requireSession: mustBeCalled('requireSession', () => (socket, next) => {
      authenticate(socket).then(session => {
        found.set(socket, session)
        disconnectWithSession(socket)
        next()
      }, (error: unknown) => next(refusalOf(error, socket)))
    }),
    sessionOf(socket) {
      const session = found.get(socket)
      if (session !== undefined) return session
      throw new GeneralError('MISUSE', 'sessionOf needs requireSession to run before it')
    },
  }
  return { ...sessions, ...adapter }
}

/** A page cannot set headers on a handshake. In header mode it sends the access token as `auth.token` in the packet. */
function withBearer(request: HttpRequest, token: unknown): HttpRequest {
  if (typeof token !== 'string') return request
  const { identity, method, path, query, client } = request
  const header = (name: string): string | null => name === wire.authorization ? `Bearer ${token}` : request.header(name)
  return { identity, method, path, query, client, header }
}
