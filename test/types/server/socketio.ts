import type { IncomingMessage } from 'node:http'
import type { Duration, ReadonlySession } from 'keyturn'
import { socketIoSessions } from 'keyturn/frameworks/socketio'
import type {
  SocketIoMiddleware, SocketIoOptions, SocketIoSessions, SocketIoSocket,
} from 'keyturn/frameworks/socketio'
import { Server } from 'socket.io'
import { sessions } from '../application.ts'
import type { Claims } from '../application.ts'
import type { Equal, Expect } from '../expect.ts'

const adapter = socketIoSessions(sessions, { checkInterval: 1 })
export const own: SocketIoSessions<Claims> = adapter

const io = new Server()
io.use(adapter.requireSession())
io.on('connection', async socket => {
  const slice: SocketIoSocket = socket
  adapter.disconnectWithSession(slice)
  // @ts-expect-error: a socket has no response to write to
  await adapter.sessionOf(socket).revokeSession()
})
// @ts-expect-error: no such option
socketIoSessions(sessions, { closeCode: 4401 })
// @ts-expect-error: its guard has no options
adapter.requireSession({ required: true })

export type Shape = [
  Expect<Equal<SocketIoSessions<Claims>, {
    authenticate(socket: SocketIoSocket): Promise<ReadonlySession<Claims>>
    disconnectWithSession(socket: SocketIoSocket): void
    requireSession(): SocketIoMiddleware
    sessionOf(socket: SocketIoSocket): ReadonlySession<Claims>
  }>>,
  Expect<Equal<SocketIoSocket, {
    readonly request: IncomingMessage
    readonly handshake: { readonly auth: Readonly<Record<string, unknown>> }
    emit(event: 'session-ended', reason: string): boolean
    disconnect(close: boolean): unknown
    once(event: 'disconnect', listener: () => void): unknown
  }>>,
  Expect<Equal<SocketIoMiddleware, (socket: SocketIoSocket, next: (error?: Error) => void) => void>>,
]
export type Options = Expect<Equal<SocketIoOptions, {
  readonly clientIp?: (request: IncomingMessage) => string | null
  readonly checkInterval?: Duration
  readonly onError?: (error: unknown, request: IncomingMessage) => void
}>>
