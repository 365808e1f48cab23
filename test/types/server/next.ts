import type { CreateNewSession, GetSession, GetSessionOptions, SessionReading, SignOut } from 'keyturn/adapters'
import { nextSessions } from 'keyturn/frameworks/next'
import type {
  NextActions, NextCookieStore, NextOptions, NextRouteHandler, NextSessions,
} from 'keyturn/frameworks/next'
import { sessions } from '../application.ts'
import type { Claims, Found, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect, RequiredKeys } from '../expect.ts'

/** As `next/headers` and `next/server` have them. */
declare function headers(): Promise<Headers>
declare function cookies(): Promise<{
  get(name: string): { readonly name: string; readonly value: string } | undefined
  getAll(): { readonly name: string; readonly value: string }[]
  set(...cookie: [name: string, value: string, options?: CookieOptions] | [cookie: CookieOptions & {
    readonly name: string
    readonly value: string
  }]): object
}>
declare function io(): Promise<void>
declare function redirect(url: string, type?: 'push' | 'replace'): never
interface CookieOptions {
  readonly path?: string
  readonly domain?: string
  readonly secure?: boolean
  readonly httpOnly?: boolean
  readonly sameSite?: true | false | 'lax' | 'strict' | 'none'
  readonly expires?: Date | number
}
declare const NextResponse: { next(init: { readonly request: { readonly headers: Headers } }): Response }

const next = nextSessions(sessions, { cookies, headers, io, redirect, loginPath: '/login' })
export const own: NextSessions<Claims, Info> = next

/** A server component: nothing can be written there. */
export async function Page(): Promise<string> {
  const reading = await next.readSession()
  // @ts-expect-error: there may be no session
  reading.session
  if (reading.kind !== 'active') return reading.kind
  const { session } = reading
  typeOf(session.getJwtPayload()).is<Readonly<Claims>>()
  // @ts-expect-error: nothing can be cleared where there is no response
  await session.revokeSession()
  // @ts-expect-error: no token can be issued where there is no response
  await session.updateJwtPayload({ role: 'admin' })
  // @ts-expect-error: the data is read where it can be written
  await session.updateSessionInfo({ cart: [] })
  return session.getUserId()
}

/** A server action. */
export async function action(): Promise<void> {
  typeOf(next.actions).is<NextActions<Claims, Info>>()
  typeOf(next.actions.getSession()).is<Promise<Found>>()
  typeOf(next.actions.getSession({ required: false })).is<Promise<Found | null>>()
  typeOf(next.actions.createNewSession('ada', { role: 'reader' }, { cart: [] })).is<Promise<Found>>()
  // @ts-expect-error: no such role
  await next.actions.createNewSession('ada', { role: 'owner' })
  // @ts-expect-error: there may be none
  ;(await next.actions.getSession({ required: false })).getUserId()
}
typeOf(next.action((session, form: FormData) => [session.getJwtPayload().role, form.has('name')] as const))
  .is<(form: FormData) => Promise<readonly ['reader' | 'admin', boolean]>>()

/** Route handlers, and what the files of an application export. */
export const GET = next.requireSession((_request, session, context: { readonly params: Promise<{ id: string }> }) => {
  typeOf(session).is<Found>()
  typeOf(context.params).is<Promise<{ id: string }>>()
  return Response.json(session.getJwtPayload())
})
export const routes = next.sessionRoutes()
typeOf(routes.POST).is<NextRouteHandler>()
typeOf(routes).is<Readonly<Record<'DELETE' | 'GET' | 'OPTIONS' | 'PATCH' | 'POST' | 'PUT', NextRouteHandler>>>()
// @ts-expect-error: no route of Keyturn's answers it
routes.HEAD
typeOf(next.proxy((headers, reading) => {
  typeOf(headers).is<Headers>()
  typeOf(reading.kind).is<'active' | 'needs-refresh' | 'none'>()
  return NextResponse.next({ request: { headers } })
})).is<NextRouteHandler>()

export const store: () => Promise<NextCookieStore> = cookies
// @ts-expect-error: what Next itself gives is missing
nextSessions(sessions)
// @ts-expect-error: no such option
nextSessions(sessions, { cookies, headers, io, basePath: '/auth' })
export type Shape = [
  Expect<Equal<NextActions<Claims, Info>, {
    readonly createNewSession: CreateNewSession<[], Claims, Info>
    readonly getSession: GetSession<[], Claims, Info>
    readonly signOut: SignOut<[]>
  }>>,
  Expect<Equal<NextSessions<Claims, Info>['readSession'], (request?: Request) => Promise<SessionReading<Claims>>>>,
  Expect<Equal<NextSessions<Claims, Info>['proxy'], (
    next: (headers: Headers, reading: SessionReading<Claims>, request: Request) => Response | Promise<Response>,
  ) => NextRouteHandler>>,
  Expect<Equal<
    NextSessions<Claims, Info>['action'],
    <Rest extends readonly unknown[], Result>(
      handle: (session: Found, ...rest: Rest) => Result | Promise<Result>,
      options?: GetSessionOptions<Claims>,
    ) => (...rest: Rest) => Promise<Result>
  >>,
  Expect<Equal<NextRouteHandler, (request: Request) => Promise<Response>>>,
  Expect<Equal<NextOptions['headers'], () => Promise<Pick<Headers, 'get'>>>>,
  Expect<Equal<NextOptions['cookies'], () => Promise<NextCookieStore>>>,
]
export type Given = Expect<Equal<RequiredKeys<NextOptions>, 'cookies' | 'headers' | 'io'>>
