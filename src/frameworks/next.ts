import { checkOptions } from '../base/options.ts'
import type { HttpExchange } from '../transport/exchange.ts'
import type { CorsOptions } from '../transport/cors.ts'
import { checkGetSessionOptions } from '../transport/get-session-options.ts'
import type { GetSessionArgument, GetSessionOptions } from '../transport/get-session-options.ts'
import type { SessionReading } from '../transport/get-session.ts'
import { withGetSessionTypes } from '../transport/http-sessions.ts'
import type { CreateNewSession, GetSession, HttpSessions, SignOut } from '../transport/http-sessions.ts'
import type { Session } from '../transport/session.ts'
import { createErrorResponses } from './error-responses.ts'
import { checkWrapperArguments, mustBeCalledForCors } from './must-be-called.ts'
import { addForwarded, forwardHeaders } from './next-forwarding.ts'
import { NextResponseWriter, NextRequest } from './next-scope.ts'
import type { NextCookieStore, NextScope } from './next-scope.ts'
import { nextRules } from './options.ts'
import { WebResponseWriter, WebRequest, withHeaders } from './web-exchange.ts'
import { webSessions } from './web.ts'
import type { WebHandler, WebOptions, WebSessions } from './web.ts'

export type { NextCookieStore } from './next-scope.ts'

/** Options of `nextSessions`, and the two functions of `next/headers` that it needs. */
export interface NextOptions extends WebOptions {
  /** `headers` of `next/headers`. */
  readonly headers: () => Promise<Pick<Headers, 'get'>>
  /** `cookies` of `next/headers`. */
  readonly cookies: () => Promise<NextCookieStore>
}

/** Sessions inside a server action, which has no request and no response of its own. */
export interface NextActions<Payload extends object, Info extends object> {
  readonly createNewSession: CreateNewSession<[], Payload, Info>
  readonly getSession: GetSession<[], Payload, Info>
  readonly signOut: SignOut<[]>
}

/** A route handler, as `route.ts` exports it. */
export type NextRouteHandler = (request: Request) => Promise<Response>

/** Sessions for Next.js: the calls of `webSessions` for route handlers, and calls for pages, actions and the proxy. */
export interface NextSessions<Payload extends object, Info extends object>
  extends Omit<WebSessions<Payload, Info>, 'readSession' | 'sessionRoutes'> {
  /** Reads the session of the page that is being rendered, in server components. It writes nothing. */
  readSession(request?: Request): Promise<SessionReading<Payload>>
  /** The explicit calls in server actions. They write the tokens to Next's cookie store. */
  readonly actions: NextActions<Payload, Info>
  /**
   * Returns a server action that is called with the session.
   * @throws UnauthorizedError, TryRefreshTokenError, CrossSiteRequestError, InvalidClaimsError, GeneralError
   */
  action<Rest extends readonly unknown[], Result>(
    handle: (session: Session<Payload, Info>, ...rest: Rest) => Result | Promise<Result>,
    options?: GetSessionOptions<Payload>,
  ): (...rest: Rest) => Promise<Result>
  /**
   * Returns the exports of the `route.ts` that serves Keyturn's own routes (refresh, sign-out and key set), with CORS
   * for trusted origins. `GET` and `POST` serve them, `OPTIONS` answers preflights. Export the others too, so that
   * Keyturn and not Next answers requests with a wrong method. `options` are those of `cors`.
   */
  sessionRoutes(options?: CorsOptions): Readonly<Record<'DELETE' | 'GET' | 'OPTIONS' | 'PATCH' | 'POST' | 'PUT', NextRouteHandler>>
  /**
   * Returns the proxy (the former middleware), which refreshes the session before a page is rendered. `next` continues
   * with the given headers: `headers => NextResponse.next({ request: { headers } })`. It can use the reading, for
   * example to redirect visitors without a session.
   */
  proxy(
    next: (headers: Headers, reading: SessionReading<Payload>, request: Request) => Response | Promise<Response>,
  ): NextRouteHandler
}

/** Adds the calls for Next.js to `sessions`. */
export function nextSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: NextOptions,
): Rest & NextSessions<Payload, Info> {
  checkOptions('nextSessions', nextRules, options)
  const { http } = sessions
  const { headers, cookies, ...webOptions } = options
  const clientIp = options.clientIp ?? ((): null => null)
  const { report } = createErrorResponses<Request>(http, options.onError)
  const { sessionRoutes, ...web } = webSessions(sessions, webOptions)

  const { accessToken, refreshToken } = http.policy.cookies
  const names = [accessToken.attributes.name, refreshToken.attributes.name]

  async function scope(): Promise<NextScope> {
    const [received, store] = await Promise.all([headers(), cookies()])
    return { headers: received, cookies: store, names }
  }

  async function actionExchange(): Promise<HttpExchange> {
    const found = await scope()
    return { request: new NextRequest('POST', found), reply: new NextResponseWriter(found.cookies) }
  }

  async function findSession(
    argument: GetSessionArgument<Payload> | undefined,
  ): Promise<Session<Payload, Info> | null> {
    return http.getSession(await actionExchange(), argument)
  }

  /** Adds to the response of a handler the headers that the proxy forwarded. */
  function withForwarded<Rest extends readonly unknown[]>(handle: WebHandler<Rest>): WebHandler<Rest> {
    return async (request, ...rest) => addForwarded(request, await handle(request, ...rest))
  }

  const answerOwn = sessionRoutes()

  const adapter: NextSessions<Payload, Info> = {
    ...web,
    handler: handle => withForwarded(web.handler(handle)),
    requireSession: (handle, sessionOptions) => withForwarded(web.requireSession(handle, sessionOptions)),
    async readSession(request) {
      if (request !== undefined) return web.readSession(request)
      return http.readSession(new NextRequest('GET', await scope()))
    },
    actions: {
      createNewSession: async (...call) => http.createNewSession(await actionExchange(), ...call),
      getSession: withGetSessionTypes(findSession),
      signOut: async () => http.signOut(await actionExchange()),
    },
    action(handle, sessionOptions = {}, ...others: readonly unknown[]) {
      checkWrapperArguments('action', [handle, sessionOptions, ...others])
      checkGetSessionOptions(sessionOptions, http.policy)
      return async (...rest) => handle(await http.getSession(await actionExchange(), sessionOptions), ...rest)
    },
    sessionRoutes: mustBeCalledForCors('sessionRoutes', corsOptions => {
      const serve = web.cors(
        async request => await answerOwn(request) ?? new Response(null, { status: 404 }), corsOptions,
      )
      return { DELETE: serve, GET: serve, OPTIONS: serve, PATCH: serve, POST: serve, PUT: serve }
    }),
    proxy(next, ...others: readonly unknown[]) {
      checkWrapperArguments('proxy', [next, ...others])
      return async request => {
        const sink = new Headers()
        const exchange = { request: new WebRequest(request, clientIp), reply: new WebResponseWriter(sink) }
        const renewal = await http.refreshBeforeRender(exchange)
        if (renewal.failure !== null) report(renewal.failure, request)
        const forwarded = new Headers(request.headers)
        if (forwarded.has('cookie')) forwarded.set('cookie', renewal.cookie)
        forwardHeaders(request, sink, forwarded)
        return withHeaders(await next(forwarded, renewal.reading, request), sink)
      }
    },
  }
  return { ...sessions, ...adapter }
}
