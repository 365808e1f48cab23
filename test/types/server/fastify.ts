import fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteGenericInterface } from 'fastify'
import type { RequireSessionOptions } from 'keyturn'
import { fastifySessions } from 'keyturn/frameworks/fastify'
import type {
  FastifyErrorHandler, FastifyHook, FastifyOptions, FastifySessionHandler, FastifySessions, FastifySessionsPlugin,
} from 'keyturn/frameworks/fastify'
import { sessions } from '../application.ts'
import type { Claims, Found, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'
import type { CallName, Calls } from './calls.ts'

const adapter = fastifySessions(sessions, { clientIp: request => request.ip })
const app = fastify()

app.register(adapter.sessionRoutes())
app.setErrorHandler(adapter.errorHandler())
app.addHook('onRequest', adapter.cors())
app.get('/me', { preHandler: adapter.requireSession() }, request => {
  typeOf(adapter.sessionOf(request)).is<Found>()
  return adapter.sessionOf(request).getJwtPayload()
})
app.get('/typed', adapter.requireSession((_request, _reply, session) => {
  typeOf(session).is<Found>()
  return { role: session.getJwtPayload().role }
}, { maxAuthenticationAge: 60 }))
app.post<{ Body: { amount: number } }>('/orders',
  adapter.requireSession<{ Body: { amount: number } }>((request, _, session) => {
    typeOf(request.body.amount).is<number>()
    typeOf(session).is<Found>()
    return {}
}))
// @ts-expect-error: Fastify's own types are not changed for everybody
app.get('/untyped', request => request.session)

export async function calls(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const own: FastifySessions<Claims, Info> = adapter
  typeOf(own.createNewSession(request, reply, 'ada', { role: 'reader' }, { cart: [] })).is<Promise<Found>>()
  typeOf(adapter.getSession(request, reply)).is<Promise<Found>>()
  typeOf(adapter.getSession(request, reply, { required: false })).is<Promise<Found | null>>()
  typeOf(adapter.refreshSession(request, reply)).is<Promise<Found>>()
  typeOf(adapter.requireSession()).is<FastifyHook>()
  typeOf(adapter.cors()).is<FastifyHook>()
  typeOf(adapter.sessionRoutes()).is<FastifySessionsPlugin>()
  typeOf(adapter.errorHandler((error, request, reply) => {
    typeOf(error).is<unknown>()
    return reply.code(500).send(request.id)
  })).is<FastifyErrorHandler>()
  const reading = await adapter.readSession(request)
  if (reading.kind === 'active') typeOf(reading.session.getJwtPayload()).is<Readonly<Claims>>()
  // @ts-expect-error: no such role
  await adapter.createNewSession(request, reply, 'ada', { role: 'owner' })
  // @ts-expect-error: a guard demands a session
  adapter.requireSession({ required: false })
}

interface Route {
  Querystring: { page: string }
}
type Guarded<Target extends RouteGenericInterface> = (
  request: FastifyRequest<Target>, reply: FastifyReply<Target>,
) => Promise<unknown>
export type Shape = [
  Expect<Equal<Pick<FastifySessions<Claims, Info>, CallName>, Calls<[request: FastifyRequest, reply: FastifyReply]>>>,
  Expect<Equal<FastifySessions<Claims, Info>['requireSession'], {
    <Target extends RouteGenericInterface = RouteGenericInterface>(
      handler: FastifySessionHandler<Target, Claims, Info>, options?: RequireSessionOptions<Claims>,
    ): Guarded<Target>
    (options?: RequireSessionOptions<Claims>): FastifyHook
  }>>,
  Expect<Equal<
    FastifySessionHandler<Route, Claims, Info>,
    (request: FastifyRequest<Route>, reply: FastifyReply<Route>, session: Found) => unknown
  >>,
  Expect<Equal<FastifyHook, (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>>>,
  Expect<Equal<FastifyErrorHandler, (error: unknown, request: FastifyRequest, reply: FastifyReply) => unknown>>,
  Expect<Equal<FastifySessionsPlugin, (app: FastifyInstance) => Promise<void>>>,
]
export type Options = Expect<Equal<FastifyOptions, {
  readonly clientIp?: (request: FastifyRequest) => string | null
  readonly onError?: (error: unknown, request: FastifyRequest) => void
}>>
