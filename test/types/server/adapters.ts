// An adapter of one's own: what the calls take follows from the target alone.
import type { IncomingMessage, ServerResponse } from 'node:http'
import * as keyturn from 'keyturn'
import * as adapters from 'keyturn/adapters'
import {
  addHeaders, checkGuardArguments, createClientInfo, defineAdapter, defineCalls, mustBeCalled, mustBeCalledForCors,
  nodeExchange, nodeRequest, NodeResponseWriter, sendReply, toResponse, WebRequest, WebResponseWriter, withCookies,
  withHeaders,
} from 'keyturn/adapters'
import type {
  Adapter, AdapterCalls, AdapterParts, AdapterStep, AdapterTarget, Awaitable, BodySource, CallParts, ClientInfo,
  ClientIp,
  CompleteResponse, ConsoleOperator, ConsoleOptions, Cookie, CookieAttributes, CorsOptions, CreateNewSession,
  GetOptionalSessionOptions, GetSession,
  GetSessionArgument, HttpExchange, HttpRequest, HttpSessions, MessageBody, RefreshSession, ResponseWriter, SameSite,
  SessionCalls,
  SessionReading, StreamedResponse, WebBody, WebClientIp,
} from 'keyturn/adapters'
import { sessions } from '../application.ts'
import type { Claims, Found, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect, RequiredKeys } from '../expect.ts'

interface Context {
  readonly request: Request
  readonly headers: Headers
}
type Target = [context: Context]
type Guard = (context: Context) => Promise<Response | null>

const requestOf = ({ request }: Context): HttpRequest => new WebRequest(request, () => null)
const exchangeOf = (context: Context): HttpExchange => (
  { request: requestOf(context), reply: new WebResponseWriter(context.headers) }
)

const adapter = defineAdapter<Target, Guard, Claims, Info>(sessions.http, {
  call: use => (context, ...rest) => use(exchangeOf(context), ...rest),
  request: context => requestOf(context),
  middleware: step => async context => {
    const reply = await step(exchangeOf(context), context)
    typeOf(reply).is<StreamedResponse | null>()
    return reply === null ? null : toResponse(reply, context.headers, context.request.method)
  },
  body: ({ request }) => request,
  onError: (error, context) => {
    typeOf(error).is<unknown>()
    typeOf(context).is<Context>()
  },
})
typeOf(adapter).is<Adapter<Target, Guard, Claims, Info>>()

export async function calls(context: Context): Promise<void> {
  const { calls, guard, answer } = adapter
  typeOf(calls).is<AdapterCalls<Target, Guard, Claims, Info>>()
  typeOf(calls.createNewSession(context, 'ada', { role: 'reader' }, { cart: [] })).is<Promise<Found>>()
  typeOf(calls.getSession(context)).is<Promise<Found>>()
  typeOf(calls.getSession(context, { required: false })).is<Promise<Found | null>>()
  typeOf(calls.refreshSession(context)).is<Promise<Found>>()
  typeOf(calls.readSession).is<(context: Context) => Promise<SessionReading<Claims>>>()
  typeOf(calls.requireSession({ maxAuthenticationAge: 60 })).is<Guard>()
  typeOf(calls.sessionOf(context)).is<Found>()
  typeOf(calls.sessionRoutes()).is<Guard>()
  typeOf(calls.cors()).is<Guard>()
  typeOf(calls.console({ authorize: ({ request }) => request.url === '' ? { name: 'ada', role: 'read' } : null })).is<
    Guard
  >()
  // @ts-expect-error: no such role
  calls.console({ authorize: () => ({ name: 'ada', role: 'owner' }) })
  // @ts-expect-error: who may use it must be decided
  calls.console({ path: '/console' })
  typeOf(guard()).is<AdapterStep<Target>>()
  typeOf(guard({ csrf: true })(exchangeOf(context), context)).is<Awaitable<StreamedResponse | null>>()
  typeOf(answer(new Error(), context)).is<CompleteResponse>()
  // @ts-expect-error: no such role
  await calls.createNewSession(context, 'ada', { role: 'owner' })
  // @ts-expect-error: the target is missing
  await calls.refreshSession()
  // @ts-expect-error: a request alone is another target
  calls.sessionOf(context.request)
}

/** Where there is no middleware, the calls alone. */
typeOf(defineCalls<Target, Claims, Info>(sessions.http, {
  call: use => (context, ...rest) => use(exchangeOf(context), ...rest),
  request: requestOf,
})).is<SessionCalls<Target, Claims, Info>>()
// @ts-expect-error: a request must be shown where no response can be written
defineCalls<Target, Claims, Info>(sessions.http, { call: use => (context, ...rest) => use(exchangeOf(context), ...rest),
})

/** What an adapter says of its framework. */
export type Parts = [
  Expect<Equal<RequiredKeys<CallParts<Target, Claims, Info>>, 'call' | 'request'>>,
  Expect<Equal<RequiredKeys<AdapterParts<Target, Guard, Claims, Info>>, 'call' | 'request' | 'middleware'>>,
  Expect<Equal<CallParts<Target, Claims, Info>['request'], (request: Context) => HttpRequest>>,
  Expect<Equal<CallParts<Target, Claims, Info>['call'], <Rest extends readonly unknown[],
  Result extends Found | boolean | null>(
    use: (exchange: HttpExchange, ...rest: Rest) => Promise<Result>,
  ) => (...call: [context: Context, ...rest: Rest]) => Promise<Result>>>,
  Expect<Equal<AdapterParts<Target, Guard, Claims, Info>['middleware'], (step: AdapterStep<Target>) => Guard>>,
  Expect<Equal<
    AdapterParts<Target, Guard, Claims, Info>['onError'], ((error: unknown, request: Context) => void) | undefined
  >>,
  Expect<Equal<
    AdapterStep<Target>,
    (exchange: HttpExchange, request: Context) => StreamedResponse | null | Promise<StreamedResponse | null>
  >>,
  Expect<Equal<Adapter<Target, Guard, Claims, Info>, {
    readonly calls: AdapterCalls<Target, Guard, Claims, Info>
    guard(options?: keyturn.RequireSessionOptions<Claims>): AdapterStep<Target>
    answer(error: unknown, request: Context): CompleteResponse
  }>>,
]
/** What the calls take and give. */
export type Calls = [
  Expect<Equal<SessionCalls<Target, Claims, Info>['createNewSession'], CreateNewSession<Target, Claims, Info>>>,
  Expect<Equal<SessionCalls<Target, Claims, Info>['getSession'], GetSession<Target, Claims, Info>>>,
  Expect<Equal<SessionCalls<Target, Claims, Info>['refreshSession'], RefreshSession<Target, Claims, Info>>>,
  Expect<Equal<
    CreateNewSession<Target, Claims, Info>,
    (...call: [
      context: Context,
      ...session:
        | [userId: string, claims?: Claims, info?: Info, options?: keyturn.CreateNewSessionOptions]
        | [session: keyturn.CreateNewSessionInput<Claims, Info>],
    ]) => Promise<Found>
  >>,
  Expect<Equal<GetSession<Target, Claims, Info>, {
    (context: Context, options: GetOptionalSessionOptions<Claims>): Promise<Found | null>
    (context: Context, options?: boolean | keyturn.GetSessionOptions<Claims>): Promise<Found>
    (context: Context, options: GetSessionArgument<Claims> | undefined): Promise<Found | null>
  }>>,
  Expect<Equal<RefreshSession<Target, Claims, Info>, (context: Context) => Promise<Found>>>,
  Expect<Equal<GetOptionalSessionOptions<Claims>['required'], false>>,
  Expect<Equal<
    GetSessionArgument<Claims>, boolean | adapters.GetSessionOptions<Claims> | GetOptionalSessionOptions<Claims>
  >>,
  Expect<Equal<typeof sessions.http, HttpSessions<Claims, Info>>>,
]
/** They are those of `keyturn`. */
export type Same = [
  Expect<Equal<adapters.Session<Claims, Info>, Found>>,
  Expect<Equal<adapters.ReadonlySession<Claims>, keyturn.ReadonlySession<Claims>>>,
  Expect<Equal<adapters.GetSessionOptions<Claims>, keyturn.GetSessionOptions<Claims>>>,
  Expect<Equal<adapters.CreateNewSessionOptions, keyturn.CreateNewSessionOptions>>,
  Expect<Equal<adapters.AnySessionError, keyturn.AnySessionError>>,
]
typeOf(adapters.isSessionError).is<typeof keyturn.isSessionError>()

export type Targets = Expect<Equal<AdapterTarget, [request: object, ...others: unknown[]]>>
export type Replies = Expect<Equal<CompleteResponse, {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}>>
export type Requests = Expect<Equal<HttpRequest, {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly identity: object
  readonly client: ClientInfo
  header(name: string): string | null
}>>
export type Consoles = [
  Expect<Equal<AdapterParts<Target, Guard, Claims, Info>['body'], ((request: Context) => BodySource) | undefined>>,
  Expect<Equal<BodySource, MessageBody | WebBody | { readonly parsed: unknown }>>,
  Expect<Equal<ConsoleOptions<Context>['authorize'], (request: Context) => Awaitable<ConsoleOperator | null>>>,
  Expect<Equal<RequiredKeys<ConsoleOptions<Context>>, 'authorize'>>,
  Expect<Equal<ConsoleOperator['role'], 'read' | 'manage'>>,
  Expect<Equal<keyturn.ConsoleOperator, ConsoleOperator>>,
  Expect<Equal<keyturn.ConsoleOptions<Context>, ConsoleOptions<Context>>>,
]
export type Cookies = [
  Expect<Equal<Cookie, {
    readonly name: string
    readonly value: string
    readonly path: string
    readonly domain: string | null
    readonly secure: boolean
    readonly sameSite: 'lax' | 'strict' | 'none'
    readonly partitioned: boolean
    readonly expires: number | null
    readonly maxAge: number | null
  }>>,
  Expect<Equal<CookieAttributes, Pick<Cookie, 'name' | 'path' | 'domain' | 'secure' | 'sameSite' | 'partitioned'>>>,
  Expect<Equal<SameSite, 'lax' | 'strict' | 'none'>>,
]
export type Addresses = [
  Expect<Equal<ClientIp<IncomingMessage>, (request: IncomingMessage) => string | null>>,
  Expect<Equal<WebClientIp, (request: Request) => string | null>>,
]

export function parts(response: Response, sink: Headers, reply: ResponseWriter, cookie: Cookie): void {
  typeOf(createClientInfo('127.0.0.1', null)).is<ClientInfo>()
  typeOf(withHeaders(response, sink)).is<Response>()
  typeOf(addHeaders(response.headers, sink)).is<void>()
  typeOf(withCookies(response, 'a=1', [cookie])).is<string[]>()
  typeOf(reply.get('vary')).is<string | null>()
  typeOf(reply.closed).is<boolean>()
  typeOf(mustBeCalled('cors', () => 1 as number)).is<() => number>()
  typeOf(mustBeCalledForCors('cors', () => 1 as number)).is<(options?: CorsOptions) => number>()
  typeOf(checkGuardArguments([])).is<void>()
  // @ts-expect-error: the sink says whether it is closed
  reply.closed = true
}

export function onNode(request: IncomingMessage, response: ServerResponse, reply: CompleteResponse): void {
  typeOf(nodeExchange(request, response, () => null)).is<HttpExchange>()
  typeOf(nodeRequest(request)).is<HttpRequest>()
  typeOf(sendReply(request, response, reply)).is<void>()
  const sink: ResponseWriter = new NodeResponseWriter(response)
  void sink
  // @ts-expect-error: a web request is another
  nodeRequest(new Request('http://localhost'))
}
