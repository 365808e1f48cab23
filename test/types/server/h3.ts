import { H3 } from 'h3'
import type { EventHandler, H3Event, Middleware } from 'h3'
import { h3Sessions } from 'keyturn/frameworks/h3'
import type { H3Options, H3SessionHandler, H3Sessions } from 'keyturn/frameworks/h3'
import { sessions } from '../application.ts'
import type { Claims, Found, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'
import type { CallName, Calls, Guard } from './calls.ts'

const adapter = h3Sessions(sessions, { clientIp: event => event.req.headers.get('x-real-ip') })
const app = new H3()

app.use(adapter.errorHandler()).use(adapter.cors()).use(adapter.sessionRoutes())
app.use('/admin/**', adapter.requireSession({ maxAuthenticationAge: 60 }))
app.get('/me', adapter.requireSession((event, session) => {
  typeOf(event).is<H3Event>()
  typeOf(session).is<Found>()
  return session.getJwtPayload()
}))

export async function calls(event: H3Event): Promise<void> {
  const own: H3Sessions<Claims, Info> = adapter
  typeOf(own.createNewSession(event, 'ada', { role: 'reader' }, { cart: [] })).is<Promise<Found>>()
  typeOf(adapter.getSession(event)).is<Promise<Found>>()
  typeOf(adapter.getSession(event, { required: false })).is<Promise<Found | null>>()
  typeOf(adapter.refreshSession(event)).is<Promise<Found>>()
  typeOf(adapter.sessionOf(event)).is<Found>()
  typeOf(adapter.requireSession()).is<Middleware>()
  typeOf(adapter.requireSession((_event, session) => session.getUserId())).is<EventHandler>()
  typeOf(adapter.errorHandler()).is<Middleware>()
  const reading = await adapter.readSession(event)
  if (reading.kind === 'active') typeOf(reading.session.getJwtPayload()).is<Readonly<Claims>>()
  // @ts-expect-error: no such role
  await adapter.createNewSession(event, 'ada', { role: 'owner' })
  // @ts-expect-error: a guard demands a session
  adapter.requireSession({ required: false })
}
export type Shape = [
  Expect<Equal<Pick<H3Sessions<Claims, Info>, CallName>, Calls<[event: H3Event]>>>,
  Expect<Equal<
    H3Sessions<Claims, Info>['requireSession'], Guard<H3SessionHandler<Claims, Info>, EventHandler, Middleware>
  >>,
  Expect<Equal<H3Sessions<Claims, Info>['sessionRoutes'], () => Middleware>>,
  Expect<Equal<H3SessionHandler<Claims, Info>, (event: H3Event, session: Found) => unknown>>,
]
export type Options = Expect<Equal<H3Options, {
  readonly clientIp?: (event: H3Event) => string | null
  readonly onError?: (error: unknown, event: H3Event) => void
}>>
