import Koa from 'koa'
import type { Context, Middleware } from 'koa'
import type { RequireSessionOptions } from 'keyturn'
import { koaSessions } from 'keyturn/frameworks/koa'
import type { KoaOptions, KoaSessions } from 'keyturn/frameworks/koa'
import { sessions } from '../application.ts'
import type { Claims, Found, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'
import type { CallName, Calls } from './calls.ts'

const adapter = koaSessions(sessions, { clientIp: context => context.ip })
const app = new Koa<{ user: string }>()

app.use(adapter.errorHandler()).use(adapter.cors()).use(adapter.sessionRoutes())
app.use(adapter.requireSession({ maxAuthenticationAge: 60 }))
app.use(async context => {
  typeOf(adapter.sessionOf(context)).is<Found>()
  typeOf(adapter.getSession(context)).is<Promise<Found>>()
  typeOf(adapter.getSession(context, { required: false })).is<Promise<Found | null>>()
  typeOf(adapter.refreshSession(context)).is<Promise<Found>>()
  typeOf(context.state.user).is<string>()
  context.state.user = adapter.sessionOf(context).getUserId()
})

export async function calls(context: Context): Promise<void> {
  const own: KoaSessions<Claims, Info> = adapter
  typeOf(own.createNewSession(context, 'ada', { role: 'reader' }, { cart: [] })).is<Promise<Found>>()
  typeOf(adapter.requireSession()).is<Middleware>()
  typeOf(adapter.errorHandler()).is<Middleware>()
  const reading = await adapter.readSession(context)
  if (reading.kind === 'active') typeOf(reading.session.getJwtPayload()).is<Readonly<Claims>>()
  // @ts-expect-error: no such role
  await adapter.createNewSession(context, 'ada', { role: 'owner' })
  // @ts-expect-error: a guard demands a session
  adapter.requireSession({ required: false })
}
export type Shape = [
  Expect<Equal<Pick<KoaSessions<Claims, Info>, CallName>, Calls<[context: Context]>>>,
  Expect<Equal<KoaSessions<Claims, Info>['requireSession'], (options?: RequireSessionOptions<Claims>) => Middleware>>,
]
export type Options = Expect<Equal<KoaOptions, {
  readonly clientIp?: (context: Context) => string | null
  readonly onError?: (error: unknown, context: Context) => void
}>>
