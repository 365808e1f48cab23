import { GeneralError, isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import { preferPrivate } from '../transport/caching.ts'
import type { CorsOptions } from '../transport/cors.ts'
import type { HttpRequest, CompleteResponse } from '../transport/exchange.ts'
import { checkGuardOptions } from '../transport/get-session-options.ts'
import { isCompleteResponse } from '../transport/get-session.ts'
import type { RequireSessionOptions } from '../transport/get-session-options.ts'
import type { SessionReading } from '../transport/get-session.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import type { ReadonlySession, Session } from '../transport/session.ts'
import { identityOf } from '../transport/set-cookie.ts'
import type { Cookie, CookieAttributes } from '../transport/set-cookie.ts'
import { defineCalls } from './define-adapter.ts'
import type { SessionCalls } from './define-adapter.ts'
import { createErrorResponses } from './error-responses.ts'
import { checkWrapperArguments, mustBeCalled, mustBeCalledForCors } from './must-be-called.ts'
import { svelteKitRules } from './options.ts'
import { endNow, toResponse, WebResponseWriter, WebRequest, withHeaders } from './web-exchange.ts'
import type { WebClientIp } from './web-exchange.ts'
import { webSessions } from './web.ts'

export type { SessionReading } from '../transport/get-session.ts'
export type { ReadonlySession, Session } from '../transport/session.ts'

/** Options of `svelteKitSessions`, and the function of `@sveltejs/kit` that it needs. */
export interface SvelteKitOptions {
  /** `error` of `@sveltejs/kit`, with which Keyturn throws its errors. */
  readonly error: (status: number, body: { message: string }) => never
  /** Returns the IP address of the client, or null; `event.getClientAddress()` has it. Default: unknown. */
  readonly clientIp?: WebClientIp
  /**
   * Called with every error that is answered with 500 or 503, except a refresh that must wait (`REFRESH_BUSY`).
   * Default: `console.error`.
   */
  readonly onError?: (error: unknown, request: Request) => void
}

/** The part of a `RequestEvent` that Keyturn uses. `App.Locals` must declare `session`. */
export interface SvelteKitEvent<Payload extends object> {
  /** The request. */
  readonly request: Request
  /** The data of the request that hooks and load functions share. */
  readonly locals: { session: SessionReading<Payload> }
}

/** The hook `handle`. */
export type SvelteKitHandle<Payload extends object> = <Event extends SvelteKitEvent<Payload>>(input: {
  event: Event
  resolve: (event: Event) => Response | Promise<Response>
}) => Promise<Response>

type SvelteKitTarget<Payload extends object> = [event: SvelteKitEvent<Payload>]

/** Sessions for SvelteKit. The calls throw SvelteKit's `error`, with status 401, 403 or 503. */
export interface SvelteKitSessions<Payload extends object, Info extends object>
  extends SessionCalls<SvelteKitTarget<Payload>, Payload, Info> {
  /**
   * Returns the hook. It serves Keyturn's own routes, refreshes the session before a page is rendered if needed, puts
   * the reading of the session into `event.locals.session`, and adds the headers and cookies of the calls below to the
   * response.
   */
  handle(): SvelteKitHandle<Payload>
  /** Returns an endpoint, an action or a load function that is called with the session. It answers CORS preflights. */
  requireSession<Event extends SvelteKitEvent<Payload>, Result>(
    handle: (event: Event, session: Session<Payload, Info>) => Result | Promise<Result>,
    options?: RequireSessionOptions<Payload>,
  ): (event: Event) => Promise<Result>
  /**
   * Returns the hook that writes CORS headers for the trusted origins and answers preflights. Put it first:
   * `sequence(sessions.cors(), sessions.handle())`.
   */
  cors(options?: CorsOptions): SvelteKitHandle<Payload>
}

/**
 * Adds the calls for SvelteKit to `sessions`, which `createSessions` returns.
 * @throws GeneralError (`MISUSE`) that names an invalid option.
 * @example
 * const sessions = svelteKitSessions(createSessions({ origin, store }), { error })
 */
export function svelteKitSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: SvelteKitOptions,
): Rest & SvelteKitSessions<Payload, Info> {
  checkOptions('svelteKitSessions', svelteKitRules, options)
  const { http } = sessions
  const { error: fail, ...webOptions } = options
  const { clientIp = (): null => null } = options
  const errors = createErrorResponses<Request>(http, options.onError)
  const web = webSessions({ http }, webOptions)
  const { attributes } = http.policy.cookies.accessToken
  // SvelteKit copies the event for every load function, but not its request.
  const running = new WeakMap<Request, RunningExchange>()

  function exchangeFor({ request, locals }: SvelteKitEvent<Payload>, sink: Headers): RunningExchange {
    const reply = new ObservedReply(sink, request, attributes, () => {
      locals.session = { kind: 'none' }
    })
    return { request: new WebRequest(request, clientIp), reply, refused: null, answer: null }
  }

  /** Throws an error of Keyturn as SvelteKit's `error`, and sets the headers of its response. */
  async function translated<Result>(
    event: SvelteKitEvent<Payload>,
    call: (exchange: RunningExchange) => Promise<Result>,
  ): Promise<Result> {
    const exchange = running.get(event.request)
    if (exchange === undefined) {
      throw new GeneralError('MISUSE', 'the hook of svelteKitSessions did not run: export handle from hooks.server.ts')
    }
    try {
      return await call(exchange)
    } catch (error) {
      // After the response was sent there is no status to set, and the error must keep its words.
      if (!isSessionError(error) || exchange.reply.closed) throw error
      const refused = errors.answer(error, event.request, exchange.request)
      const { status, headers, body } = refused
      for (const [header, value] of headers) if (header !== 'content-type') exchange.reply.set(header, value)
      exchange.refused = refused
      const answer: { message: string } = JSON.parse(body)
      return fail(status, answer)
    }
  }

  /** Puts the session that a call finds into `event.locals`. */
  function finding<Found extends ReadonlySession<Payload> | boolean | null>(
    event: SvelteKitEvent<Payload>,
    find: (exchange: RunningExchange) => Promise<Found>,
  ): Promise<Found> {
    return translated(event, async exchange => {
      const found = await find(exchange)
      // True: the call was `signOut`.
      if (found === true) event.locals.session = { kind: 'none' }
      else if (found !== false && found !== null) event.locals.session = { kind: 'active', session: found }
      return found
    })
  }

  const answerOwn = web.sessionRoutes()

  const adapter: SvelteKitSessions<Payload, Info> = {
    ...defineCalls<SvelteKitTarget<Payload>, Payload, Info>(http, {
      call: use => (event, ...rest) => finding(event, exchange => use(exchange, ...rest)),
      request: ({ request }) => running.get(request)?.request ?? new WebRequest(request, clientIp),
    }),
    handle: mustBeCalled('handle', () => async ({ event, resolve }) => {
      const own = await answerOwn(event.request)
      if (own !== null) return own
      const sink = new Headers()
      const exchange = exchangeFor(event, sink)
      const { reading, failure } = await http.refreshBeforeRender(exchange)
      if (failure !== null) errors.report(failure, event.request)
      event.locals.session = reading
      if (reading.kind === 'active') preferPrivate(exchange.reply)
      running.set(event.request, exchange)
      try {
        const response = await resolve(event)
        if (exchange.answer !== null) {
          endNow(sink)
          return toResponse(exchange.answer, sink, event.request.method)
        }
        typeRefusal(response, exchange)
        return withHeaders(response, sink)
      } catch (error) {
        endNow(sink)
        throw error
      } finally {
        exchange.reply.close()
      }
    }),
    requireSession(handle, sessionOptions = {}, ...others: readonly unknown[]) {
      checkWrapperArguments('requireSession', [handle, sessionOptions, ...others])
      checkGuardOptions(sessionOptions, http.policy)
      return event => translated(event, async exchange => {
        const admitted = await http.guard(exchange, sessionOptions)
        if (isCompleteResponse(admitted)) {
          exchange.answer = admitted
          return fail(400, { message: 'the hook sends the answer to a preflight' })
        }
        event.locals.session = { kind: 'active', session: admitted }
        return handle(event, admitted)
      })
    },
    cors: mustBeCalledForCors('cors', corsOptions => ({ event, resolve }) => (
      web.cors(() => resolve(event), corsOptions)(event.request)
    )),
  }
  return { ...sessions, ...adapter }
}

/** What the calls for one request share. */
interface RunningExchange {
  readonly request: HttpRequest
  readonly reply: WebResponseWriter
  /** The response to the last call that failed. */
  refused: CompleteResponse | null
  /** The response of a guard, sent instead of SvelteKit's. */
  answer: CompleteResponse | null
}

/** Gives SvelteKit's JSON for a failed call the content type of Keyturn's errors (HDR-05). Leaves error pages as is. */
function typeRefusal(response: Response, { refused, reply }: RunningExchange): void {
  const isJson = response.headers.get('content-type') === 'application/json'
  if (refused === null || refused.status !== response.status || !isJson) return
  for (const [name, value] of refused.headers) if (name === 'content-type') reply.set(name, value)
}

/** A writer that calls back when the cookie of the access token is cleared. */
class ObservedReply extends WebResponseWriter {
  readonly #identity: string
  readonly #onCleared: () => void

  constructor(headers: Headers, request: Request, attributes: CookieAttributes, onCleared: () => void) {
    super(headers, request)
    this.#identity = identityOf(attributes)
    this.#onCleared = onCleared
  }

  override setCookies(cookies: readonly Cookie[]): void {
    super.setCookies(cookies)
    const accessToken = cookies.findLast(cookie => identityOf(cookie) === this.#identity)
    if (accessToken?.value === '') this.#onCleared()
  }
}
