import type { CorsOptions, RequireSessionOptions } from 'keyturn'
import { webSessions } from 'keyturn/frameworks/web'
import type { WebClientIp, WebHandler, WebOptions, WebSessions } from 'keyturn/frameworks/web'
import { sessions } from '../application.ts'
import type { Claims, Found, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'

const web = webSessions(sessions, { clientIp: request => request.headers.get('x-real-ip') })

export async function explicit(request: Request, headers: Headers): Promise<void> {
  const own: WebSessions<Claims, Info> = web
  typeOf(own.createNewSession(request, headers, 'ada', { role: 'reader' }, { cart: [] }, { persistent: false }))
    .is<Promise<Found>>()
  typeOf(web.getSession(request, headers)).is<Promise<Found>>()
  typeOf(web.getSession(request, headers, true)).is<Promise<Found>>()
  typeOf(web.getSession(request, headers, { required: true })).is<Promise<Found>>()
  typeOf(web.getSession(request, headers, { required: false })).is<Promise<Found | null>>()
  typeOf(web.refreshSession(request, headers)).is<Promise<Found>>()
  typeOf(web.getSessionInfo('handle')).is<Promise<Info>>()
  const reading = await web.readSession(request)
  if (reading.kind === 'active') typeOf(reading.session.getJwtPayload()).is<Readonly<Claims>>()
  // @ts-expect-error: no such role
  await web.createNewSession(request, headers, 'ada', { role: 'owner' })
  // @ts-expect-error: a cart is missing
  await web.createNewSession(request, headers, 'ada', { role: 'reader' }, {})
  // @ts-expect-error: the headers of the response are missing
  await web.getSession(request)
  // @ts-expect-error: there may be none
  ;(await web.getSession(request, headers, { required: false })).getUserId()
  // @ts-expect-error: no such option
  await web.getSession(request, headers, { maxAge: 60 })
}

export const me = web.requireSession((request, session) => {
  typeOf(request).is<Request>()
  typeOf(session).is<Found>()
  return Response.json({ role: session.getJwtPayload().role })
}, { maxAuthenticationAge: 60 })
typeOf(me).is<WebHandler<[]>>()
typeOf(web.requireSession((_request, _session, env: { readonly KV: string }) => new Response(env.KV)))
  .is<WebHandler<[env: { readonly KV: string }]>>()
typeOf(web.handler((_request, headers) => new Response(null, { headers }))).is<WebHandler<[]>>()
typeOf(web.cors(request => Response.json(request.url))).is<WebHandler<[]>>()
typeOf(web.sessionRoutes()).is<(request: Request) => Promise<Response | null>>()

export type Handlers = Expect<Equal<
  WebHandler<[env: object]>, (request: Request, env: object) => Promise<Response>
>>
export type Made = [
  Expect<Equal<
    WebSessions<Claims, Info>['refreshSession'], (request: Request, headers: Headers) => Promise<Found>
  >>,
  Expect<Equal<Parameters<WebSessions<Claims, Info>['handler']>, [
    handle: (request: Request, headers: Headers, ...rest: readonly unknown[]) => Response | Promise<Response>,
  ]>>,
  Expect<Equal<Parameters<WebSessions<Claims, Info>['cors']>, [
    handle: (request: Request, ...rest: readonly unknown[]) => Response | Promise<Response>,
    options?: CorsOptions | undefined,
  ]>>,
  Expect<Equal<Parameters<WebSessions<Claims, Info>['requireSession']>, [
    handle: (request: Request, session: Found, ...rest: readonly unknown[]) => Response | Promise<Response>,
    options?: RequireSessionOptions<Claims> | undefined,
  ]>>,
]

// @ts-expect-error: the claims have no such member
web.requireSession((_request, session) => Response.json(session.getJwtPayload().rank))
// @ts-expect-error: a handler answers with a response
web.requireSession(() => 'hello')

export type Options = Expect<Equal<WebOptions, {
  readonly clientIp?: WebClientIp
  readonly onError?: (error: unknown, request: Request) => void
}>>
export type Addresses = Expect<Equal<WebClientIp, (request: Request) => string | null>>
// @ts-expect-error: an address is a text
webSessions(sessions, { clientIp: () => 127 })
// @ts-expect-error: these are no sessions
webSessions({})
