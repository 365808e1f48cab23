import { STATUS_CODES } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { GeneralError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import type { CompleteResponse } from '../transport/exchange.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { ReadonlySession } from '../transport/session.ts'
import { createConnectionWatch } from './connection-watch.ts'
import { createErrorAnswers } from './error-answers.ts'
import { notCalled } from './must-be-called.ts'
import { nodeRequest } from './node-exchange.ts'
import type { ClientIp } from './node-exchange.ts'
import { toMilliseconds } from '../base/duration.ts'
import type { Duration } from '../base/duration.ts'
import { checkIntervalRule, wsRules } from './options.ts'

/** What the adapter for ws may be told. */
export interface WsOptions {
  /** Who sent a request, where a trusted proxy says so. Default: the peer of the connection. */
  readonly clientIp?: ClientIp<IncomingMessage>
  /**
   * How often to look whether access tokens of open sockets have expired: from 10 ms to 1 hour. Default: 1 second.
   */
  readonly checkInterval?: Duration
  /**
   * Hears of every error that was answered with 500 or 503, but not of a refresh that was told to
   * wait (`REFRESH_BUSY`). Default: `console.error`.
   */
  readonly onError?: (error: unknown, request: IncomingMessage) => void
}

/** The slice of a `WebSocket` of ws that is used. */
export interface WsSocket {
  close(code: number, reason: string): void
  once(event: 'close', listener: () => void): unknown
}

/** The slice of a `WebSocketServer` of ws, made with `noServer: true`, that is used. */
export interface WsServer<Socket extends WsSocket> {
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    done: (client: Socket, request: IncomingMessage) => void,
  ): void
  emit(event: 'connection', client: Socket, request: IncomingMessage): boolean
}

/** The code with which a socket is closed when its session ends; the reason is the message of the HTTP answer. */
export const SESSION_ENDED = 4401

/** A listener for the `upgrade` event of a node:http server. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** Sessions for WebSockets with ws. */
export interface WsSessions<Payload extends object> {
  /**
   * Verifies the session of a handshake, by its cookies or bearer token. For cookies the origin must be a trusted one.
   * @throws UnauthorizedError, TryRefreshTokenError, CrossSiteRequestError, GeneralError
   */
  authenticate(request: IncomingMessage): Promise<ReadonlySession<Payload>>
  /**
   * Closes a socket with {@link SESSION_ENDED} as soon as this process hears that the session of its handshake was
   * ended, and when its access token expires.
   */
  closeWithSession(socket: WsSocket, request: IncomingMessage): void
  /**
   * Makes the listener that lets only handshakes with a session through, and closes their sockets with the session.
   * A refused one gets the HTTP answer that a request would get.
   */
  upgrade<Socket extends WsSocket>(server: WsServer<Socket>): UpgradeListener
  /** The session that `upgrade` found. @throws GeneralError (`MISUSE`) if the request did not come that way. */
  sessionOf(request: IncomingMessage): ReadonlySession<Payload>
}

/** Gives sessions the shape of ws. */
export function wsSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: WsOptions = {},
): Omit<Rest, keyof WsSessions<Payload>> & WsSessions<Payload> {
  checkOptions('wsSessions', wsRules, options)
  const { http } = sessions
  const errors = createErrorAnswers<IncomingMessage>(http, options.onError)
  const found = new WeakMap<IncomingMessage, ReadonlySession<Payload>>()
  const watches = createConnectionWatch(http, toMilliseconds(options.checkInterval ?? checkIntervalRule.preset), error => {
    console.error('keyturn: an open socket could not be checked:', error)
  })
  const readable = (request: IncomingMessage): ReturnType<typeof nodeRequest> => nodeRequest(request, options.clientIp)
  const authenticate = (request: IncomingMessage): Promise<ReadonlySession<Payload>> =>
    http.authenticateHandshake(readable(request))

  function closeWithSession(socket: WsSocket, request: IncomingMessage): void {
    const stop = watches.watch(readable(request), reason => socket.close(SESSION_ENDED, reason))
    socket.once('close', stop)
  }

  const adapter: WsSessions<Payload> = {
    authenticate,
    closeWithSession,
    upgrade(server, ...others: readonly unknown[]) {
      if (others.length > 0) throw notCalled('upgrade', 'server')
      return (request, socket, head) => {
        const drop = (): void => {
          socket.destroy()
        }
        socket.on('error', drop)
        authenticate(request).then(session => {
          socket.off('error', drop)
          if (socket.destroyed) return
          found.set(request, session)
          server.handleUpgrade(request, socket, head, client => {
            closeWithSession(client, request)
            server.emit('connection', client, request)
          })
        }, (error: unknown) => {
          socket.end(refusalOf(errors.answer(error, request, readable(request))))
        })
      }
    },
    sessionOf(request) {
      const session = found.get(request)
      if (session !== undefined) return session
      throw new GeneralError('MISUSE', 'the request of this socket did not come through upgrade')
    },
  }
  return { ...sessions, ...adapter }
}

/** An HTTP answer as it is written where there is no response object. */
function refusalOf({ status, headers, body }: CompleteResponse): string {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `content-length: ${new TextEncoder().encode(body).length}`,
    'connection: close',
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}
