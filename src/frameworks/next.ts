import { GeneralError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import { AdapterExchange } from '../transport/exchange.ts'
import type { HttpExchange, HttpRequest } from '../transport/exchange.ts'
import type { CorsOptions } from '../transport/cors.ts'
import { checkGetSessionOptions } from '../transport/get-session-options.ts'
import type { GetSessionArgument, GetSessionOptions } from '../transport/get-session-options.ts'
import type { SessionReading } from '../transport/get-session.ts'
import { withGetSessionTypes } from '../transport/http-sessions.ts'
import type { CreateNewSession, GetSession, HttpSessions, SignOut } from '../transport/http-sessions.ts'
import { loginAddressFor } from '../transport/page-request.ts'
import type { Session } from '../transport/session.ts'
import { createErrorResponses } from './error-responses.ts'
import { checkWrapperArguments, mustBeCalledForCors } from './must-be-called.ts'
import { addForwarded, forwardHeaders, wasRefreshed } from './next-forwarding.ts'
import { NextResponseWriter, NextRequest } from './next-scope.ts'
import type { NextCookieStore, NextScope } from './next-scope.ts'
import { nextRules } from './options.ts'
import { WebResponseWriter, WebRequest, withHeaders } from './web-exchange.ts'
import { webSessions } from './web.ts'
import type { WebHandler, WebOptions, WebSessions } from './web.ts'

export type { NextCookieStore } from './next-scope.ts'

/** Options of `nextSessions`, and the functions of Next.js that it needs. */
export interface NextOptions extends WebOptions {
  /** `headers` of `next/headers`. */
  readonly headers: () => Promise<Pick<Headers, 'get'>>
  /** `cookies` of `next/headers`. */
  readonly cookies: () => Promise<NextCookieStore>
  /**
   * `io` of `next/cache`, so that a session is read for each request and never while a page is rendered ahead of time.
   * In Next.js before 16.3, which has no `io`: `connection` of `next/server`.
   */
  readonly io: () => Promise<unknown>
  /** `redirect` of `next/navigation`, for `loginPath`. Default: none. */
  readonly redirect?: (address: string) => never
  /**
   * The path of the login page, such as `/login`. A server action that is called without a session redirects there,
   * with the address of the page that called it, `?returnTo=%2Forders`; the login page checks it with `returnAddress`.
   * Default: the action throws.
   */
  readonly loginPath?: string
}

/** Sessions inside a server action, which has no request and no response of its own. */
export interface NextActions<Payload extends object, Info extends object> {
  /**
   * Creates a session for a user who has just authenticated, and writes its tokens to Next's cookie store. Revokes the
   * session that the client had before. 1 store call, 2 if there was one before.
   * @throws CrossSiteRequestError, InvalidDataError, GeneralError
   */
  readonly createNewSession: CreateNewSession<[], Payload, Info>
  /**
   * Verifies the session of the client that called the action. Without one, it redirects to `loginPath` if that is set.
   * 0 store calls, 1 with `strict`.
   * @throws UnauthorizedError, TryRefreshTokenError, CrossSiteRequestError, InvalidClaimsError, GeneralError
   */
  readonly getSession: GetSession<[], Payload, Info>
  /** Revokes the session and deletes its cookies. Returns false if there is none. 1 store call. */
  readonly signOut: SignOut<[]>
}

/** A route handler, as `route.ts` exports it. */
export type NextRouteHandler = (request: Request) => Promise<Response>

/** Sessions for Next.js: the calls of `webSessions` for route handlers, and calls for pages, actions and the proxy. */
export interface NextSessions<Payload extends object, Info extends object>
  extends Omit<WebSessions<Payload, Info>, 'readSession' | 'sessionRoutes'> {
  /** Reads the session of the page that is being rendered, in server components. It writes nothing. */
  readSession(request?: Request): Promise<SessionReading<Payload>>
  /**
   * The explicit calls in server actions. They write the tokens to Next's cookie store. Where a session is required and
   * there is none, `getSession` redirects to `loginPath`.
   */
  readonly actions: NextActions<Payload, Info>
  /**
   * Returns a server action that is called with the session. Without one, it redirects to `loginPath`.
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
  sessionRoutes(
    options?: CorsOptions,
  ): Readonly<Record<'DELETE' | 'GET' | 'OPTIONS' | 'PATCH' | 'POST' | 'PUT', NextRouteHandler>>
  /**
   * Returns the proxy (the former middleware), which refreshes the session before a page is rendered. `next` continues
   * with the given headers: `headers => NextResponse.next({ request: { headers } })`. It can use the reading, for
   * example to redirect visitors without a session.
   */
  proxy(
    next: (headers: Headers, reading: SessionReading<Payload>, request: Request) => Response | Promise<Response>,
  ): NextRouteHandler
}

/**
 * Adds the calls for Next.js to `sessions`, which `createSessions` returns.
 * @throws GeneralError (`MISUSE`) that names an invalid option.
 * @example
 * const sessions = nextSessions(createSessions({ origin, store }), { cookies, headers, io })
 */
export function nextSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: NextOptions,
): Rest & NextSessions<Payload, Info> {
  checkOptions('nextSessions', nextRules, options)
  const { http } = sessions
  const { headers, cookies, io, redirect, loginPath, ...webOptions } = options
  if (loginPath !== undefined && redirect === undefined) {
    throw new GeneralError('MISUSE', 'nextSessions with loginPath needs redirect of next/navigation')
  }
  const clientIp = options.clientIp ?? ((): null => null)
  const { report } = createErrorResponses<Request>(http, options.onError)
  const { sessionRoutes, ...web } = webSessions(sessions, webOptions)

  const { accessToken, accessTokenMac, refreshToken } = http.policy.cookies
  const names = [accessToken, accessTokenMac, refreshToken].map(({ attributes }) => attributes.name)

  async function scope(): Promise<NextScope> {
    const [received, store] = await Promise.all([headers(), cookies()])
    // A page may be rendered with cookies before it is requested (partial prefetching). Time is not known there.
    await io()
    return { headers: received, cookies: store, names }
  }

  async function actionExchange(): Promise<HttpExchange> {
    const found = await scope()
    return new AdapterExchange(new NextRequest('POST', found), new NextResponseWriter(found.cookies))
  }

  async function findSession(
    argument: GetSessionArgument<Payload> | undefined,
  ): Promise<Session<Payload, Info> | null> {
    const exchange = await actionExchange()
    return http.getSession(exchange, argument).catch((error: unknown) => toLogin(exchange.request, error))
  }

  /** Redirects a client without a session to the login page, if there is one. @throws the error otherwise */
  function toLogin(request: HttpRequest, error: unknown): never {
    if (loginPath === undefined || redirect === undefined) throw error
    return redirect(loginAddressFor(request, http.policy, loginPath, error))
  }

  /** Adds to the response of a handler the headers that the proxy forwarded. */
  function withForwarded<Rest extends readonly unknown[]>(handle: WebHandler<Rest>): WebHandler<Rest> {
    return async (request, ...rest) => addForwarded(request, await handle(request, ...rest))
  }

  const answerOwn = sessionRoutes()

  const adapter: NextSessions<Payload, Info> = {
    ...web,
    handler: handle => withForwarded(web.handler(handle)),
    // The proxy keeps the refresh token from handlers. What it has refreshed needs no other refresh.
    refreshSession: (request, response) => (
      wasRefreshed(request) ? web.getSession(request, response, true) : web.refreshSession(request, response)
    ),
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
      return async (...rest) => {
        const exchange = await actionExchange()
        const session = await http.getSession(exchange, sessionOptions)
          .catch((error: unknown) => toLogin(exchange.request, error))
        return handle(session, ...rest)
      }
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
        const exchange = new AdapterExchange(new WebRequest(request, clientIp), new WebResponseWriter(sink, request))
        const renewal = await http.refreshBeforeRender(exchange)
        if (renewal.failure !== null) report(renewal.failure, request)
        const forwarded = new Headers(request.headers)
        if (forwarded.has('cookie')) forwarded.set('cookie', renewal.cookie)
        forwardHeaders(request, sink, forwarded, renewal.isRefreshed)
        return withHeaders(await next(forwarded, renewal.reading, request), sink)
      }
    },
  }
  return { ...sessions, ...adapter }
}
