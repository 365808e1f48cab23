import { GeneralError, isSessionError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import { preferPrivate } from '../transport/caching.ts'
import type { HttpRequest, CompleteResponse } from '../transport/exchange.ts'
import { checkGetSessionOptions, isAnswer } from '../transport/get-session.ts'
import type { GetSessionOptions, SessionReading } from '../transport/get-session.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import { overrideCookies } from '../transport/request-cookies.ts'
import type { ReadonlySession, Session } from '../transport/session.ts'
import { identityOf } from '../transport/set-cookie.ts'
import type { Cookie, CookieAttributes } from '../transport/set-cookie.ts'
import { defineCalls } from './define-adapter.ts'
import type { SessionCalls } from './define-adapter.ts'
import { createErrorAnswers } from './error-answers.ts'
import { checkWrapperArguments, mustBeCalled } from './must-be-called.ts'
import { svelteKitRules } from './options.ts'
import { toResponse, WebResponseWriter, WebRequest, withHeaders } from './web-exchange.ts'
import type { WebClientIp } from './web-exchange.ts'
import { webSessions } from './web.ts'

export type { SessionReading } from '../transport/get-session.ts'
export type { ReadonlySession, Session } from '../transport/session.ts'

/** What the adapter for SvelteKit is given: a function of `@sveltejs/kit`, and options. */
export interface SvelteKitOptions {
  /** `error` of `@sveltejs/kit`, through which Keyturn's errors reach SvelteKit. */
  readonly error: (status: number, body: { message: string }) => never
  /** Who sent a request; `event.getClientAddress()` knows. Default: unknown. */
  readonly clientIp?: WebClientIp
  /**
   * Hears of every error that was answered with 500 or 503, but not of a refresh that was told to
   * wait (`REFRESH_BUSY`). Default: `console.error`.
   */
  readonly onError?: (error: unknown, request: Request) => void
}

/** The slice of a `RequestEvent` that is used. `App.Locals` declares `session`. */
export interface SvelteKitEvent<Payload extends object> {
  readonly request: Request
  readonly locals: { session: SessionReading<Payload> }
}

/** The hook `handle`. */
export type SvelteKitHandle<Payload extends object> = <Event extends SvelteKitEvent<Payload>>(input: {
  event: Event
  resolve: (event: Event) => Response | Promise<Response>
}) => Promise<Response>

type SvelteKitTarget<Payload extends object> = [event: SvelteKitEvent<Payload>]

/** Sessions for SvelteKit. Their errors are its `error`s: 401, 403, 503. */
export interface SvelteKitSessions<Payload extends object, Info extends object>
  extends SessionCalls<SvelteKitTarget<Payload>, Payload, Info> {
  /**
   * Makes the hook: it serves Keyturn's own routes, refreshes before a page is rendered if it must, puts the reading
   * of the session into `event.locals.session`, and adds to the response what the calls below have to tell the client.
   */
  handle(): SvelteKitHandle<Payload>
  /** Makes an endpoint, an action or a load function that is called with the session. It answers CORS preflights. */
  requireSession<Event extends SvelteKitEvent<Payload>, Result>(
    handle: (event: Event, session: Session<Payload, Info>) => Result | Promise<Result>,
    options?: GetSessionOptions<Payload>,
  ): (event: Event) => Promise<Result>
  /**
   * Makes the hook that writes CORS headers for the trusted origins and answers preflights. Use it first:
   * `sequence(sessions.cors(), sessions.handle())`.
   */
  cors(): SvelteKitHandle<Payload>
}

/** Gives sessions the shape of SvelteKit. */
export function svelteKitSessions<Payload extends object, Info extends object, Rest extends object>(
  sessions: Rest & { readonly http: HttpSessions<Payload, Info> },
  options: SvelteKitOptions,
): Rest & SvelteKitSessions<Payload, Info> {
  checkOptions('svelteKitSessions', svelteKitRules, options)
  const { http } = sessions
  const { error: fail, ...webOptions } = options
  const { clientIp = (): null => null } = options
  const errors = createErrorAnswers<Request>(http, options.onError)
  const web = webSessions({ http }, webOptions)
  const { attributes } = http.policy.cookies.accessToken
  // The event is copied for every load function; its request is not.
  const running = new WeakMap<Request, RunningExchange>()

  function exchangeFor({ request, locals }: SvelteKitEvent<Payload>, sink: Headers): RunningExchange {
    const reply = new ObservedReply(sink, attributes, () => {
      locals.session = { kind: 'none' }
    })
    return { request: new EventRequest(request, clientIp, reply), reply, refused: null, answer: null }
  }

  /** Lets SvelteKit know of an error of Keyturn: with the headers of its answer. */
  async function translated<Result>(
    event: SvelteKitEvent<Payload>,
    call: (exchange: RunningExchange) => Promise<Result>,
  ): Promise<Result> {
    const exchange = running.get(event.request)
    if (exchange === undefined) throw new GeneralError('MISUSE', 'the hook of svelteKitSessions did not run')
    try {
      return await call(exchange)
    } catch (error) {
      if (!isSessionError(error)) throw error
      const refused = errors.answer(error, event.request, exchange.request)
      const { status, headers, body } = refused
      for (const [header, value] of headers) if (header !== 'content-type') exchange.reply.set(header, value)
      exchange.refused = refused
      const answer: { message: string } = JSON.parse(body)
      return fail(status, answer)
    }
  }

  /** Lets `event.locals` know of the session that a call finds. */
  function finding<Found extends ReadonlySession<Payload> | null>(
    event: SvelteKitEvent<Payload>,
    find: (exchange: RunningExchange) => Promise<Found>,
  ): Promise<Found> {
    return translated(event, async exchange => {
      const session = await find(exchange)
      if (session !== null) event.locals.session = { kind: 'active', session }
      return session
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
        if (exchange.answer !== null) return toResponse(exchange.answer, sink, event.request.method)
        typeRefusal(response, exchange)
        return withHeaders(response, sink)
      } finally {
        exchange.reply.closed = true
      }
    }),
    requireSession(handle, sessionOptions = {}, ...others: readonly unknown[]) {
      checkWrapperArguments('requireSession', [handle, sessionOptions, ...others])
      checkGetSessionOptions(sessionOptions)
      return event => translated(event, async exchange => {
        const admitted = await http.guard(exchange, sessionOptions)
        if (isAnswer(admitted)) {
          exchange.answer = admitted
          return fail(400, { message: 'the hook sends the answer to a preflight' })
        }
        event.locals.session = { kind: 'active', session: admitted }
        return handle(event, admitted)
      })
    },
    cors: mustBeCalled('cors', () => ({ event, resolve }) => web.cors(() => resolve(event))(event.request)),
  }
  return { ...sessions, ...adapter }
}

/** What the calls for one request work on. */
interface RunningExchange {
  readonly request: HttpRequest
  readonly reply: WebResponseWriter
  /** The answer to the call that was refused last. */
  refused: CompleteResponse | null
  /** What a guard answers itself, in the place of SvelteKit. */
  answer: CompleteResponse | null
}

/** Gives SvelteKit's JSON for a refusal the type of Keyturn's own (HDR-05). A page for it is left as it is. */
function typeRefusal(response: Response, { refused, reply }: RunningExchange): void {
  const isJson = response.headers.get('content-type') === 'application/json'
  if (refused === null || refused.status !== response.status || !isJson) return
  for (const [name, value] of refused.headers) if (name === 'content-type') reply.set(name, value)
}

/** A reply that knows what becomes of the access token, and tells when it is taken away. */
class ObservedReply extends WebResponseWriter {
  /** The cookie that gives the client an access token or takes it away; null as long as there is none. */
  accessToken: Cookie | null = null
  readonly #identity: string
  readonly #onCleared: () => void

  constructor(headers: Headers, attributes: CookieAttributes, onCleared: () => void) {
    super(headers)
    this.#identity = identityOf(attributes)
    this.#onCleared = onCleared
  }

  override setCookies(cookies: readonly Cookie[]): void {
    super.setCookies(cookies)
    const accessToken = cookies.findLast(cookie => identityOf(cookie) === this.#identity)
    if (accessToken === undefined) return
    this.accessToken = accessToken
    if (accessToken.value === '') this.#onCleared()
  }
}

/** A request that goes on after its reply has changed the access token: an action first, then the page's loads. */
class EventRequest extends WebRequest {
  readonly #reply: ObservedReply

  constructor(request: Request, clientIp: WebClientIp, reply: ObservedReply) {
    super(request, clientIp)
    this.#reply = reply
  }

  override header(name: string): string | null {
    const value = super.header(name)
    const token = name === 'cookie' ? this.#reply.accessToken : null
    return token === null ? value : overrideCookies(value, [[token.name, token.value || null]])
  }
}
