import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { expressSessions } from 'keyturn/frameworks/express'
import { SESSION_ENDED, wsSessions } from 'keyturn/frameworks/ws'
import type { UpgradeListener, WsOptions, WsServer, WsSessions, WsSocket } from 'keyturn/frameworks/ws'
import type { Duration, ReadonlySession } from 'keyturn'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import { sessions } from '../application.ts'
import type { Claims, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'

const adapter = wsSessions(sessions)
export const own: WsSessions<Claims> = adapter

export async function connect(server: Server, request: IncomingMessage, socket: WebSocket): Promise<void> {
  const sockets = new WebSocketServer({ noServer: true })
  typeOf(adapter.upgrade(sockets)).is<UpgradeListener>()
  server.on('upgrade', adapter.upgrade(sockets))
  sockets.on('connection', (_socket, request) => adapter.sessionOf(request).getUserId())
  adapter.closeWithSession(socket, request)
  // @ts-expect-error: a socket has no response to write to
  await adapter.sessionOf(request).revokeSession()
  // @ts-expect-error: a socket is no server
  adapter.upgrade(socket)
}
// @ts-expect-error: no such option
wsSessions(sessions, { closeCode: 4401 })
typeOf(SESSION_ENDED).is<4401>()

/** Around another adapter: a name that both have is of the sockets. */
const both = wsSessions(expressSessions(sessions))
typeOf(both.sessionOf).is<WsSessions<Claims>['sessionOf']>()
typeOf(both.getSessionInfo('handle')).is<Promise<Info>>()

export type Options = Expect<Equal<WsOptions, {
  readonly clientIp?: (request: IncomingMessage) => string | null
  readonly checkInterval?: Duration
  readonly onError?: (error: unknown, request: IncomingMessage) => void
}>>
export type Shape = [
  Expect<Equal<WsSessions<Claims>, {
    authenticate(request: IncomingMessage): Promise<ReadonlySession<Claims>>
    closeWithSession(socket: WsSocket, request: IncomingMessage): void
    upgrade<Socket extends WsSocket>(server: WsServer<Socket>): UpgradeListener
    sessionOf(request: IncomingMessage): ReadonlySession<Claims>
  }>>,
  Expect<Equal<WsSocket, {
    close(code: number, reason: string): void
    once(event: 'close', listener: () => void): unknown
  }>>,
  Expect<Equal<WsServer<WebSocket>, {
    shouldHandle?(request: IncomingMessage): boolean | Promise<boolean>
    handleUpgrade(
      request: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      done: (client: WebSocket, request: IncomingMessage) => void,
    ): void
    emit(event: 'connection', client: WebSocket, request: IncomingMessage): boolean
  }>>,
  Expect<Equal<UpgradeListener, (request: IncomingMessage, socket: Duplex, head: Buffer) => void>>,
]
