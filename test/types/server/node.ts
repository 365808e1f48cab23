import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { nodeSessions } from 'keyturn/frameworks/node'
import type {
  ClientIp, NodeListener, NodeMiddleware, NodeOptions, NodeSessionHandler, NodeSessions,
} from 'keyturn/frameworks/node'
import { sessions } from '../application.ts'
import type { Claims, Found, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'
import type { CallName, Calls, Guard } from './calls.ts'

const node = nodeSessions(sessions, { clientIp: request => request.socket.remoteAddress ?? null })

export async function calls(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const own: NodeSessions<Claims, Info> = node
  typeOf(own.createNewSession(request, response, 'ada', { role: 'reader' }, { cart: [] })).is<Promise<Found>>()
  typeOf(node.getSession(request, response)).is<Promise<Found>>()
  typeOf(node.getSession(request, response, false)).is<Promise<Found>>()
  typeOf(node.getSession(request, response, { required: false })).is<Promise<Found | null>>()
  typeOf(node.refreshSession(request, response)).is<Promise<Found>>()
  typeOf(node.sessionOf(request)).is<Found>()
  typeOf(node.requireSession()).is<NodeMiddleware>()
  typeOf(node.requireSession()(request, response, () => undefined)).is<Promise<boolean>>()
  typeOf(node.sessionRoutes()).is<NodeMiddleware>()
  typeOf(node.cors()).is<NodeMiddleware>()
  typeOf(node.errorHandler()).is<(error: unknown, request: IncomingMessage, response: ServerResponse) => void>()
  const reading = await node.readSession(request)
  if (reading.kind === 'active') typeOf(reading.session.getJwtPayload()).is<Readonly<Claims>>()
  // @ts-expect-error: no such role
  await node.createNewSession(request, response, 'ada', { role: 'owner' })
  // @ts-expect-error: the response is missing
  await node.getSession(request)
  // @ts-expect-error: a guard demands a session
  node.requireSession({ required: false })
}

const listener = node.requireSession((request, response, session) => {
  typeOf(request).is<IncomingMessage>()
  typeOf(session).is<Found>()
  response.end(session.getUserId())
}, { maxAuthenticationAge: 60 })
typeOf(listener).is<NodeListener>()
createServer(listener)

export type Shape = [
  Expect<Equal<
    Pick<NodeSessions<Claims, Info>, CallName>, Calls<[request: IncomingMessage, response: ServerResponse]>
  >>,
  Expect<Equal<
    NodeSessions<Claims, Info>['requireSession'], Guard<NodeSessionHandler<Claims, Info>, NodeListener, NodeMiddleware>
  >>,
  Expect<Equal<
    NodeSessionHandler<Claims, Info>, (request: IncomingMessage, response: ServerResponse, session: Found) => unknown
  >>,
  Expect<Equal<NodeListener, (request: IncomingMessage, response: ServerResponse) => void | Promise<void>>>,
  Expect<Equal<
    NodeMiddleware, (request: IncomingMessage, response: ServerResponse, next?: () => unknown) => Promise<boolean>
  >>,
]
export type Options = Expect<Equal<NodeOptions, {
  readonly clientIp?: ClientIp<IncomingMessage>
  readonly onError?: (error: unknown, request: IncomingMessage) => void
}>>
