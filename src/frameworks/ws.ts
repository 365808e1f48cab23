import { EventEmitter } from 'node:events'
import { STATUS_CODES } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { GeneralError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import { jsonReply } from '../transport/error-reply.ts'
import type { CompleteResponse } from '../transport/exchange.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { ReadonlySession } from '../transport/session.ts'
import { createConnectionWatch } from './connection-watch.ts'
import { createErrorResponses } from './error-responses.ts'
import { notCalled } from './must-be-called.ts'
import { nodeRequest } from './node-exchange.ts'
import type { ClientIp } from './node-exchange.ts'
import { toMilliseconds } from '../base/duration.ts'
import type { Duration } from '../base/duration.ts'
import { checkIntervalRule, wsRules } from './options.ts'

/** Options of `wsSessions`. */
export interface WsOptions {
  /**
   * Returns the IP address of the client, or null. Needed behind a trusted proxy. Default: the peer of the connection.
   */
  readonly clientIp?: ClientIp<IncomingMessage>
  /** How often to check whether access tokens of open sockets have expired: from 10 ms to 1 hour. Default: 1 second. */
  readonly checkInterval?: Duration
  /**
   * Called with every error that is answered with 500 or 503, except a refresh that must wait (`REFRESH_BUSY`).
   * Default: `console.error`.
   */
  readonly onError?: (error: unknown, request: IncomingMessage) => void
}

/** The part of a `WebSocket` of ws that Keyturn uses. */
export interface WsSocket {
  close(code: number, reason: string): void
  once(event: 'close', listener: () => void): unknown
}

/** The part of a `WebSocketServer` of ws, created with `noServer: true`, that Keyturn uses. */
export interface WsServer<Socket extends WsSocket> {
  /**
   * Whether a handshake is for this server: by default, whether the path is that of the option `path`, or any if there
   * is none. As ws does, Keyturn takes a promise as true.
   */
  shouldHandle?(request: IncomingMessage): boolean | Promise<boolean>
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    done: (client: Socket, request: IncomingMessage) => void,
  ): void
  emit(event: 'connection', client: Socket, request: IncomingMessage): boolean
}

/** The close code of a socket whose session has ended. The close reason is the message of the HTTP response. */
export const SESSION_ENDED = 4401

/** A listener for the `upgrade` event of a node:http server. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** Sessions for WebSockets with ws. */
export interface WsSessions<Payload extends object> {
  /**
   * Verifies the session of a handshake, by its cookies or bearer token. With cookies, the origin must be trusted.
   * @throws UnauthorizedError, TryRefreshTokenError, CrossSiteRequestError, GeneralError
   */
  authenticate(request: IncomingMessage): Promise<ReadonlySession<Payload>>
  /**
   * Closes a socket with {@link SESSION_ENDED} as soon as this process learns that the session of its handshake has
   * ended, and when its access token expires.
   */
  closeWithSession(socket: WsSocket, request: IncomingMessage): void
  /**
   * Returns the listener that accepts only handshakes with a session, and closes their sockets when it ends. A refused
   * handshake gets the HTTP response that a request would get. The listener leaves handshakes that `server` should not
   * handle, by its `path` or `shouldHandle`, to the other listeners; if there are none, it answers 404.
   */
  upgrade<Socket extends WsSocket>(server: WsServer<Socket>): UpgradeListener
  /** The session that `upgrade` found. @throws GeneralError (`MISUSE`) if `upgrade` did not handle the request. */
  sessionOf(request: IncomingMessage): ReadonlySession<Payload>
}

/**
 * Adds the calls for ws to `sessions`, which `createSessions` returns.
 * @throws GeneralError (`MISUSE`) that names an invalid option.
 * @example
 * const sessions = wsSessions(createSessions({ origin, store }))
 */
export function wsSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: WsOptions = {},
): Omit<Rest, keyof WsSessions<Payload>> & WsSessions<Payload> {
  checkOptions('wsSessions', wsRules, options)
  const { http } = sessions
  const errors = createErrorResponses<IncomingMessage>(http, options.onError)
  const found = new WeakMap<IncomingMessage, ReadonlySession<Payload>>()
  const checkInterval = toMilliseconds(options.checkInterval ?? checkIntervalRule.defaultValue)
  const watches = createConnectionWatch(http, checkInterval, error => {
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
      return function upgrade(this: unknown, request, socket, head) {
        if (server.shouldHandle?.(request) === false) {
          if (isOnlyListener(this)) refuse(socket.on('error', ignore), jsonReply(404, { message: 'not found' }))
          return
        }
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
          refuse(socket, errors.answer(error, request, readable(request)))
        })
      }
    },
    sessionOf(request) {
      const session = found.get(request)
      if (session !== undefined) return session
      throw new GeneralError('MISUSE', 'sessionOf needs a request that upgrade has handled; this one did not pass it')
    },
  }
  return { ...sessions, ...adapter }
}

/** Whether a listener called with this `this` is the only one for upgrades: then nobody else answers. */
function isOnlyListener(emitter: unknown): boolean {
  return emitter instanceof EventEmitter && emitter.listenerCount('upgrade') === 1
}

function ignore(): void {}

/**
 * Sends a response and closes the connection. Node leaves the side of the client open, and no timeout of the server
 * applies any more: a client that does not close it would keep the connection, and the server from stopping.
 */
function refuse(socket: Duplex, reply: CompleteResponse): void {
  socket.once('finish', () => socket.destroy()).end(refusalOf(reply))
}

/** The text of an HTTP response, for a socket without a response object. */
function refusalOf({ status, headers, body }: CompleteResponse): string {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `content-length: ${new TextEncoder().encode(body).length}`,
    'connection: close',
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}
