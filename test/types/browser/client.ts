import { createClient, SessionUnavailableError } from 'keyturn/client'
import type {
  Client, ClientErrorCode, ClientOptions, ClientSession, ClientStorage, EndReason, Fetch, PayloadOf, RefreshOn,
  SessionListener, SessionView,
} from 'keyturn/client'
import { createNativeClient } from 'keyturn/client/native'
import type { NativeClientOptions } from 'keyturn/client/native'
import {
  checkOnFocus, connectEventSource, connectWebSocket, createDevices, createStepUp, endOnRevocation, explainProblems,
  keepFresh, loginPageFor, observe, patchFetch, reauthenticateWith, sendXhr,
} from 'keyturn/client/parts'
import type {
  ClientEvent, Closable, ConnectingClient, Device, Devices, ObservedRequest, ProofQuestion, ProofQuestions,
  ProofRefusal,
  RequestKind, StepUp, WatchedClient,
} from 'keyturn/client/parts'
import type { webSessions } from 'keyturn/frameworks/web'
import type { sessions } from '../application.ts'
import type { Claims, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'

/** What a server exports, by whose type alone a page knows the claims. */
type Server = ReturnType<typeof webSessions<Claims, Info, typeof sessions>>

export async function calls(client: Client<Claims>): Promise<void> {
  typeOf(createClient<Server>({ baseUrl: 'https://app.example.com' })).is<Client<Claims>>()
  typeOf(createClient<typeof sessions>()).is<Client<Claims>>()
  typeOf(client.getSession()).is<Promise<ClientSession<Claims> | null>>()
  typeOf(client.peekSession()).is<ClientSession<Claims> | null | undefined>()
  typeOf(client.refresh()).is<Promise<boolean>>()
  typeOf(client.signOut()).is<Promise<boolean>>()
  typeOf(client.view()).is<SessionView<Claims>>()
  typeOf(client.expiry()).is<number | null>()
  typeOf(reauthenticateWith(client, '/prove')).is<Promise<Response>>()
  typeOf(observe(client, event => typeOf(event).is<ClientEvent<Claims>>())).is<() => void>()
  typeOf(keepFresh).is<(client: WatchedClient) => () => void>()
  typeOf(checkOnFocus(client)).is<() => void>()
  typeOf(client.close()).is<void>()
  const send: typeof globalThis.fetch = client.fetch
  typeOf(send('/me')).is<Promise<Response>>()
  typeOf(client.fetch).is<Fetch>()
  typeOf(client.onChange(({ session, status, reason }, previous) => {
    typeOf(previous).is<SessionView<Claims>>()
    typeOf(status).is<'loading' | 'signed-in' | 'signed-out' | 'unavailable'>()
    typeOf(reason).is<EndReason | null>()
    // @ts-expect-error: there may be no session
    session.userId
    // @ts-expect-error: the payload is read only
    if (session !== null) session.jwtPayload.role = 'admin'
  })).is<() => void>()
  // @ts-expect-error: a listener is a function
  client.onChange({ next: () => undefined })
}

/** Without the type of a server: any JSON. */
type Json = string | number | boolean | null | Json[] | { [member: string]: Json }
typeOf(createClient()).is<Client<{ [member: string]: Json }>>()
export type Payload = [
  Expect<Equal<PayloadOf<Server>, Claims>>, Expect<Equal<PayloadOf<unknown>, { [member: string]: Json }>>,
]
export type Session = Expect<Equal<ClientSession<Claims>, {
  readonly userId: string
  readonly handle: string
  readonly jwtPayload: Readonly<Claims>
  readonly timeCreated: number
}>>
export type Listeners = [
  Expect<Equal<Parameters<Client<Claims>['onChange']>, [listener: SessionListener<Claims>]>>,
  Expect<Equal<
    SessionListener<Claims>,
    (view: SessionView<Claims>, previous: SessionView<Claims>) => void
  >>,
]
export type Fetching = Expect<Equal<Fetch, (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>>>
export type Options = Expect<Equal<ClientOptions, {
  readonly baseUrl?: string
  readonly basePath?: string
  readonly mode?: 'cookie' | 'header'
  readonly storage?: ClientStorage
  readonly sessionExpiredStatusCode?: number
  readonly refreshOn?: RefreshOn
  readonly fetch?: Fetch
}>>
export type Storages = Expect<Equal<ClientStorage, {
  getItem(key: string): string | null | Promise<string | null>
  setItem(key: string, value: string): unknown
}>>

export type YourDevices = [
  Expect<Equal<Devices,
  { list(): Promise<readonly Device[]>; revoke(handle: string): Promise<boolean>; revokeOthers(): Promise<number> }>>,
  Expect<Equal<Device, {
    readonly handle: string
    readonly createdAt: number
    readonly ip: string | null
    readonly userAgent: string | null
    readonly name?: string
    readonly current: boolean
  }>>,
]

export function parts(client: Client<Claims>): void {
  createClient({ storage: localStorage, fetch })
  typeOf(patchFetch).is<(client: Pick<Client<object>, 'fetch'>) => () => void>()
  typeOf(createDevices).is<(client: Pick<Client<object>, 'fetch'>, options: { readonly path: string }) => Devices>()
  const error = new SessionUnavailableError(503)
  typeOf(error.code).is<ClientErrorCode>()
  typeOf(error.status).is<number | null>()
  // @ts-expect-error: where the routes are
  createDevices(client)
  // @ts-expect-error: no such mode
  createClient({ mode: 'bearer' })
  // @ts-expect-error: a storage keeps texts
  createClient({ storage: new Map() })
}
export type Reasons = Expect<Equal<EndReason, 'signed-out' | 'expired' | 'revoked' | 'theft' | 'replaced'>>
export type Refreshing = Expect<Equal<RefreshOn, (answer: {
  readonly status: number
  readonly url: string
  readonly headers: Headers
  readonly message: unknown
}) => boolean>>
export type Codes = Expect<Equal<ClientErrorCode, 'SESSION_UNAVAILABLE'>>
export type Failures = Expect<Equal<
  ConstructorParameters<typeof SessionUnavailableError>, [status: number | null, cause?: unknown]
>>
export type Observed = [
  Expect<Equal<RequestKind, 'application' | 'refresh' | 'sign-out'>>,
  Expect<Equal<ObservedRequest['attempt'], 1 | 2>>,
]

export function stepUps(client: Client<Claims>): void {
  const typed = createStepUp(client, {
    auth_time: password => client.fetch('/reauthenticate', { method: 'POST', body: password }),
    'second-factor': (code: string) => client.fetch('/code', { method: 'POST', body: code }),
  })
  typeOf(typed).is<StepUp<'auth_time' | 'second-factor', string>>()
  typeOf(typed.fetch).is<Fetch>()
  typeOf(typed.question()).is<ProofQuestion<'auth_time' | 'second-factor'> | null>()
  typeOf(typed.prove('secret')).is<Promise<boolean>>()
  typeOf(typed.cancel()).is<void>()
  const shown: ProofQuestions<'auth_time' | 'second-factor'> = typed
  void shown
  typeOf(createStepUp(client, { passkey: (answer: { id: string }) => client.fetch(`/passkey/${answer.id}`) }))
    .is<StepUp<'passkey', { id: string }>>()
  // @ts-expect-error: a proof of the type that is sent
  void typed.prove(7)
  // @ts-expect-error: the question may be none
  typed.question().id
  // @ts-expect-error: how a proof is sent, with the answer
  createStepUp(client, { auth_time: () => undefined })
}
export type Questions = [
  Expect<Equal<ProofQuestion<'auth_time'>, {
    readonly id: 'auth_time'
    readonly reason: unknown
    readonly isSending: boolean
    readonly refusal: ProofRefusal | null
  }>>,
  Expect<Equal<ProofRefusal, {
    readonly status: number | null
    readonly message: string | null
    readonly retryAfter: number | null
    readonly error?: unknown
  }>>,
]

export function connections(client: Client<Claims>, storage: ClientStorage): void {
  typeOf(connectWebSocket(client, '/socket', socket => typeOf(socket).is<WebSocket>())).is<() => void>()
  typeOf(connectEventSource(client, '/events', source => typeOf(source).is<EventSource>())).is<() => void>()
  typeOf(loginPageFor(client, '/login', '/orders')).is<Promise<string | null>>()
  typeOf(explainProblems(client)).is<() => void>()
  typeOf(endOnRevocation(client, '/events')).is<() => void>()
  typeOf(sendXhr(client, 'POST', '/upload', () => 'body')).is<Promise<XMLHttpRequest>>()
  const connecting: ConnectingClient = client
  const closable = (socket: WebSocket): Closable => socket
  void [connecting, closable]
  const options: NativeClientOptions = { baseUrl: 'https://api.example.com', storage, onWake: () => () => undefined }
  typeOf(createNativeClient<typeof sessions>(options)).is<Client<Claims>>()
  // @ts-expect-error: where the tokens are kept
  createNativeClient({ baseUrl: 'https://api.example.com' })
}
