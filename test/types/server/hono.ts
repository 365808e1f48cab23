import { Hono } from 'hono'
import type { Context, ErrorHandler, MiddlewareHandler } from 'hono'
import type { RequireSessionOptions } from 'keyturn'
import { honoSessions } from 'keyturn/frameworks/hono'
import type { HonoEnvironment, HonoOptions, HonoSessions } from 'keyturn/frameworks/hono'
import { sessions } from '../application.ts'
import type { Claims, Found, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'
import type { CallName, Calls } from './calls.ts'

const adapter = honoSessions(sessions, { clientIp: context => context.req.header('x-real-ip') ?? null })
const app = new Hono<{ Variables: { other: number } }>()

app.use(adapter.cors(), adapter.sessionRoutes())
app.onError(adapter.errorHandler())
app.get('/me', adapter.requireSession({ maxAuthenticationAge: 60 }), async context => {
  typeOf(context.var.session).is<Found>()
  typeOf(context.var.other).is<number>()
  typeOf(adapter.sessionOf(context)).is<Found>()
  typeOf(adapter.getSession(context, false)).is<Promise<Found>>()
  typeOf(adapter.refreshSession(context)).is<Promise<Found>>()
  return context.json(context.var.session.getJwtPayload())
})
app.get('/open', async context => {
  typeOf(adapter.getSession(context, { required: false })).is<Promise<Found | null>>()
  // @ts-expect-error: nothing has looked for a session here
  return context.json({ user: context.var.session.getUserId() })
})

export async function calls(context: Context): Promise<void> {
  const own: HonoSessions<Claims, Info> = adapter
  typeOf(own.createNewSession(context, 'ada', { role: 'reader' }, { cart: [] })).is<Promise<Found>>()
  typeOf(adapter.requireSession()).is<MiddlewareHandler<HonoEnvironment<Claims, Info>>>()
  typeOf(adapter.sessionRoutes()).is<MiddlewareHandler>()
  typeOf(adapter.errorHandler((error, context) => {
    typeOf(error.message).is<string>()
    return context.text('later', 503)
  })).is<ErrorHandler>()
  const reading = await adapter.readSession(context)
  if (reading.kind === 'active') typeOf(reading.session.getJwtPayload()).is<Readonly<Claims>>()
  // @ts-expect-error: no such role
  await adapter.createNewSession(context, 'ada', { role: 'owner' })
  // @ts-expect-error: a guard demands a session
  adapter.requireSession({ required: false })
}
export type Shape = [
  Expect<Equal<Pick<HonoSessions<Claims, Info>, CallName>, Calls<[context: Context]>>>,
  Expect<Equal<
    HonoSessions<Claims, Info>['requireSession'],
    (options?: RequireSessionOptions<Claims>) => MiddlewareHandler<HonoEnvironment<Claims, Info>>
  >>,
  Expect<Equal<HonoSessions<Claims, Info>['errorHandler'], (otherwise?: ErrorHandler) => ErrorHandler>>,
]
export type Environment = Expect<Equal<HonoEnvironment<Claims, Info>, { Variables: { session: Found } }>>
export type Options = Expect<Equal<HonoOptions, {
  readonly clientIp?: (context: Context) => string | null
  readonly onError?: (error: unknown, context: Context) => void
}>>
