import type { SessionCalls, RequireSessionOptions } from 'keyturn/adapters'
import { svelteKitSessions } from 'keyturn/frameworks/sveltekit'
import type {
  ReadonlySession, Session, SessionReading, SvelteKitEvent, SvelteKitHandle, SvelteKitOptions, SvelteKitSessions,
} from 'keyturn/frameworks/sveltekit'
import { sessions } from '../application.ts'
import type { Claims, Found, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect, RequiredKeys } from '../expect.ts'

/** As SvelteKit's own `error` and its events are. */
declare function error(status: number, body: { message: string } | string): never
interface RequestEvent extends SvelteKitEvent<Claims> {
  readonly params: { readonly id: string }
}

const kit = svelteKitSessions(sessions, { error })
export const own: SvelteKitSessions<Claims, Info> = kit

export async function calls(event: RequestEvent): Promise<void> {
  typeOf(event.locals.session).is<SessionReading<Claims>>()
  if (event.locals.session.kind === 'active') {
    typeOf(event.locals.session.session).is<ReadonlySession<Claims>>()
    // @ts-expect-error: what the hook has read cannot be written
    await event.locals.session.session.revokeSession()
  }
  typeOf(kit.createNewSession(event, 'ada', { role: 'reader' }, { cart: [] })).is<Promise<Found>>()
  typeOf(kit.getSession(event)).is<Promise<Found>>()
  typeOf(kit.getSession(event, { required: false })).is<Promise<Found | null>>()
  typeOf(kit.refreshSession(event)).is<Promise<Found>>()
  typeOf(kit.readSession(event)).is<Promise<SessionReading<Claims>>>()
  // @ts-expect-error: no such role
  await kit.createNewSession(event, 'ada', { role: 'owner' })
  // @ts-expect-error: the hook needs a place for the session
  await kit.getSession({ request: event.request, locals: {} })
}

typeOf(kit.handle()).is<SvelteKitHandle<Claims>>()
typeOf(kit.cors()).is<SvelteKitHandle<Claims>>()
typeOf(kit.requireSession((event: RequestEvent, session: Session<Claims, Info>) => (
  { id: event.params.id, role: session.getJwtPayload().role }
))).is<(event: RequestEvent) => Promise<{ id: string; role: 'reader' | 'admin' }>>()
// @ts-expect-error: a guard demands a session
kit.requireSession((_event: RequestEvent) => null, { required: false })
// @ts-expect-error: what SvelteKit itself gives is missing
svelteKitSessions(sessions)
// @ts-expect-error: no such option
svelteKitSessions(sessions, { error, basePath: '/auth' })
type Event = SvelteKitEvent<Claims>
export type Shape = [
  Expect<Equal<
    Pick<SvelteKitSessions<Claims, Info>, keyof SessionCalls<[Event], Claims, Info>>,
    SessionCalls<[event: Event], Claims, Info>
  >>,
  Expect<Equal<Event, { readonly request: Request; readonly locals: { session: SessionReading<Claims> } }>>,
  Expect<Equal<
    SvelteKitSessions<Claims, Info>['requireSession'],
    <Own extends Event, Result>(
      handle: (event: Own, session: Found) => Result | Promise<Result>,
      options?: RequireSessionOptions<Claims>,
    ) => (event: Own) => Promise<Result>
  >>,
  Expect<Equal<
    SvelteKitHandle<Claims>,
    <Own extends Event>(input: {
      event: Own
      resolve: (event: Own) => Response | Promise<Response>
    }) => Promise<Response>
  >>,
  Expect<Equal<SvelteKitOptions, {
    readonly error: (status: number, body: { message: string }) => never
    readonly clientIp?: (request: Request) => string | null
    readonly onError?: (error: unknown, request: Request) => void
  }>>,
]
export type Given = Expect<Equal<RequiredKeys<SvelteKitOptions>, 'error'>>
