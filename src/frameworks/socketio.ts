import type { IncomingMessage } from 'node:http'
import { GeneralError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import * as wire from '../base/wire.ts'
import type { HttpRequest } from '../transport/exchange.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { ReadonlySession } from '../transport/session.ts'
import { createConnectionWatch } from './connection-watch.ts'
import { createErrorAnswers } from './error-answers.ts'
import { mustBeCalled } from './must-be-called.ts'
import { nodeRequest } from './node-exchange.ts'
import type { ClientIp } from './node-exchange.ts'
import { toMilliseconds } from '../base/duration.ts'
import type { Duration } from '../base/duration.ts'
import { checkIntervalRule, socketIoRules } from './options.ts'

/** What the adapter for Socket.IO may be told. */
export interface SocketIoOptions {
  /** Who sent a request, where a trusted proxy says so. Default: the peer of the connection. */
  readonly clientIp?: ClientIp<IncomingMessage>
  /**
   * How often to look whether access tokens of open sockets have expired: from 10 ms to 1 hour. Default: 1 second.
   */
  readonly checkInterval?: Duration
  /**
   * Hears of every error that a client was told as 500 or 503, but not of a refresh that was told to
   * wait (`REFRESH_BUSY`). Default: `console.error`.
   */
  readonly onError?: (error: unknown, request: IncomingMessage) => void
}

/** The slice of a `Socket` of Socket.IO that is used. */
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
   * For cookies the origin must be a trusted one.
   * @throws UnauthorizedError, TryRefreshTokenError, CrossSiteRequestError, GeneralError
   */
  authenticate(socket: SocketIoSocket): Promise<ReadonlySession<Payload>>
  /**
   * Emits `session-ended` with the reason and disconnects, as soon as this process hears that the session was ended,
   * and when its access token expires.
   */
  disconnectWithSession(socket: SocketIoSocket): void
  /**
   * Makes the middleware that lets only sockets with a session in, and disconnects them with it. A refused client gets
   * a `connect_error` whose `data` holds `status` and `message`, as of the HTTP answer.
   */
  requireSession(): SocketIoMiddleware
  /** The session that `requireSession` found. @throws GeneralError (`MISUSE`) if it was not asked. */
  sessionOf(socket: SocketIoSocket): ReadonlySession<Payload>
}

/** Gives sessions the shape of Socket.IO. */
export function socketIoSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: SocketIoOptions = {},
): Omit<Rest, keyof SocketIoSessions<Payload>> & SocketIoSessions<Payload> {
  checkOptions('socketIoSessions', socketIoRules, options)
  const { http } = sessions
  const errors = createErrorAnswers<IncomingMessage>(http, options.onError)
  const found = new WeakMap<SocketIoSocket, ReadonlySession<Payload>>()
  const watches = createConnectionWatch(http, toMilliseconds(options.checkInterval ?? checkIntervalRule.preset), error => {
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
      throw new GeneralError('MISUSE', 'no requireSession ran before sessionOf')
    },
  }
  return { ...sessions, ...adapter }
}

/** A page can set no headers here: where it keeps its tokens itself, it passes the access token in the packet. */
function withBearer(request: HttpRequest, token: unknown): HttpRequest {
  if (typeof token !== 'string') return request
  const { method, path, client } = request
  const header = (name: string): string | null => name === wire.authorization ? `Bearer ${token}` : request.header(name)
  return { method, path, client, header }
}
