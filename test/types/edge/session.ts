// The session object, and the application's own types in it, which are given once.
import { createSessions } from 'keyturn'
import type {
  ClaimValidator, CreateNewSessionInput, CreateNewSessionOptions, Duration, GetSessionOptions, Health, HealthReason,
  ReadonlySession, ReadyOptions, Session, SessionDetails, SessionJson, SessionList, SessionReading, Sessions,
  SessionSummary,
} from 'keyturn'
import type { Claims, Found, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect, RequiredKeys } from '../expect.ts'

const origin = 'https://app.example.com'

/** A schema of a Standard Schema library. */
interface Schema<Output> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => { readonly value: Output } | { readonly issues: { message: string }[] }
  }
}
declare const claims: Schema<Claims>
declare const info: Schema<Info>

/** Any JSON, for applications that name no types. */
type Json = string | number | boolean | null | Json[] | { [member: string]: Json }

/** Where the types come from: type parameters, schemas, or nowhere. */
export function types(): void {
  typeOf(createSessions<Claims, Info>({ origin })).is<Sessions<Claims, Info>>()
  typeOf(createSessions({ origin, payload: claims, info })).is<Sessions<Claims, Info>>()
  typeOf(createSessions<Claims>({ origin })).is<Sessions<Claims, { [member: string]: Json }>>()
  typeOf(createSessions({ origin })).is<Sessions<{ [member: string]: Json }, { [member: string]: Json }>>()
  // @ts-expect-error: the schema is for other claims
  createSessions<Info, Info>({ origin, payload: claims })
  // @ts-expect-error: a payload is an object
  createSessions<string>({ origin })
}

/** Every call of the session of a request. */
export async function session(session: Session<Claims, Info>): Promise<void> {
  typeOf(session.getUserId()).is<string>()
  typeOf(session.getJwtPayload()).is<Readonly<Claims>>()
  typeOf(session.getJwtPayload().role).is<'reader' | 'admin'>()
  typeOf(session.getHandle()).is<string>()
  typeOf(session.getTenantId()).is<string>()
  typeOf(session.getTimeCreated()).is<number>()
  typeOf(session.getExpiry()).is<number>()
  typeOf(session.getSessionInfo()).is<Promise<Info>>()
  typeOf(session.updateSessionInfo({ cart: [] })).is<Promise<void>>()
  typeOf(session.updateSessionInfo)
    .is<(info: Info | ((current: Info) => Info | Promise<Info>)) => Promise<void>>()
  await session.updateSessionInfo(current => ({ cart: [...current.cart, 'book'] }))
  typeOf(session.updateJwtPayload({ role: 'admin' })).is<Promise<void>>()
  typeOf(session.updateJwtPayload)
    .is<(payload: Claims | ((current: Claims) => Claims | Promise<Claims>)) => Promise<void>>()
  typeOf(session.reauthenticate({}, {})).is<Promise<void>>()
  typeOf(session.onRevoked).is<(listener: () => unknown) => () => void>()
  typeOf(session.signal).is<AbortSignal>()
  typeOf(session.revokeSession()).is<Promise<void>>()
  // @ts-expect-error: the payload is frozen
  session.getJwtPayload().role = 'admin'
  // @ts-expect-error: no such role
  await session.updateJwtPayload({ role: 'owner' })
  // @ts-expect-error: a cart is missing
  await session.updateSessionInfo({})
  // @ts-expect-error: the new info has no cart
  await session.updateSessionInfo(() => ({}))
  // @ts-expect-error: the signal is the session's
  session.signal = new AbortController().signal
}

/** Where no response can be written, a session has no writing method. */
export type Reading = [
  Expect<Equal<ReadonlySession<Claims>, {
    getUserId(): string
    getJwtPayload(): Readonly<Claims>
    getHandle(): string
    getTenantId(): string
    getTimeCreated(): number
    getExpiry(): number
    toJSON(): SessionJson<Claims>
  }>>,
  Expect<Equal<SessionJson<Claims>, {
    readonly userId: string
    readonly handle: string
    readonly tenantId: string
    readonly jwtPayload: Readonly<Claims>
    readonly timeCreated: number
    readonly expiry: number
  }>>,
]

/** A reading must be looked at before its session can be used. */
export function reading(reading: SessionReading<Claims>): void {
  typeOf(reading.kind).is<'active' | 'needs-refresh' | 'none'>()
  // @ts-expect-error: there may be no session
  reading.session
  if (reading.kind === 'active') typeOf(reading.session).is<ReadonlySession<Claims>>()
  else typeOf(reading.kind).is<'needs-refresh' | 'none'>()
}

/** The calls that need no request. */
export async function management(sessions: Sessions<Claims, Info>): Promise<void> {
  typeOf(sessions.getSessionInfo('handle')).is<Promise<Info>>()
  typeOf(sessions.updateSessionInfo)
    .is<(handle: string, info: Info | ((current: Info) => Info | Promise<Info>)) => Promise<void>>()
  typeOf(sessions.getSessionByHandle('handle')).is<Promise<SessionDetails<Claims, Info>>>()
  typeOf(sessions.updateJwtPayload)
    .is<(handle: string, payload: Claims | ((current: Claims) => Claims | Promise<Claims>)) => Promise<void>>()
  typeOf(sessions.updateJwtPayloadForUser).is<(
    userId: string, change: (current: Claims) => Claims | Promise<Claims>, options?: { readonly tenantId?: string },
  ) => Promise<readonly string[]>>()
  typeOf(sessions.revokeSession).is<(handle: string) => Promise<boolean>>()
  typeOf(sessions.revokeSessions).is<(handles: readonly string[]) => Promise<readonly string[]>>()
  typeOf(sessions.revokeAllSessionsForUser('ada', { tenantId: 'public', except: 'handle' }))
    .is<Promise<readonly string[]>>()
  typeOf(sessions.revokeEverySession()).is<Promise<void>>()
  typeOf(sessions.getAllSessionHandlesForUser('ada', { tenantId: 'public' })).is<Promise<readonly string[]>>()
  typeOf(sessions.listSessions('ada', { limit: 10, after: null, tenantId: 'public' })).is<Promise<SessionList>>()
  typeOf(sessions.rotateKeys()).is<Promise<void>>()
  typeOf((await sessions.getJwks()).keys[0]?.kid).is<string | undefined>()
  typeOf(sessions.ready).is<(options?: ReadyOptions) => Promise<void>>()
  await sessions.ready({ timeout: '30s', signal: AbortSignal.timeout(1000) })
  const health = await sessions.health()
  typeOf(health).is<Health>()
  typeOf(health.status).is<'ok' | 'degraded' | 'failing'>()
  typeOf(health.reasons[0]).is<HealthReason | undefined>()
  typeOf(health.keys?.nextRotation).is<number | undefined>()
  // @ts-expect-error: it is timeout
  await sessions.ready({ limit: 5 })
  typeOf(sessions.close()).is<Promise<void>>()
  // @ts-expect-error: no such role
  await sessions.updateJwtPayload('handle', { role: 'owner' })
  // @ts-expect-error: a cart is missing
  await sessions.updateSessionInfo('handle', {})
  // @ts-expect-error: a list of handles
  await sessions.revokeSessions('handle')
  // @ts-expect-error: there is no such option
  await sessions.listSessions('ada', { offset: 10 })
}

/** "Your devices". */
export function devices({ sessions, next }: SessionList): void {
  typeOf(next).is<string | null>()
  typeOf(sessions).is<readonly SessionSummary[]>()
}
export type Details = [
  Expect<Equal<Omit<SessionDetails<Claims, Info>, keyof SessionSummary>, {
    readonly jwtPayload: Claims
    readonly sessionInfo: Info
  }>>,
  Expect<Equal<Pick<SessionDetails<Claims, Info>, keyof SessionSummary>, Pick<SessionSummary, keyof SessionSummary>>>,
]
export type Summary = Expect<Equal<SessionSummary, {
  readonly handle: string
  readonly userId: string
  readonly tenantId: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly ip: string | null
  readonly userAgent: string | null
}>>

/** What a login may decide. */
export type Input = Expect<Equal<Omit<CreateNewSessionInput<Claims, Info>, keyof CreateNewSessionOptions>, {
  readonly userId: string
  readonly jwtPayload: Claims
  readonly sessionInfo: Info
}>>
export type InputOfAnything = Expect<
  Equal<RequiredKeys<CreateNewSessionInput<{ [member: string]: Json }, object>>, 'userId'>
>
export type Login = Expect<Equal<CreateNewSessionOptions, {
  readonly persistent?: boolean
  readonly accessTokenLifetime?: Duration
  readonly idleTimeout?: Duration
  readonly absoluteTimeout?: Duration
  readonly tenantId?: string
  readonly keepExistingSession?: boolean
  readonly allowCrossSitePost?: boolean
}>>

/** How a session is looked for. */
export type Options = Expect<Equal<GetSessionOptions<Claims>, {
  readonly csrf?: boolean
  readonly required?: true
  readonly blacklisting?: 'off' | 'feed' | 'strict'
  readonly claimValidators?: readonly ClaimValidator<Claims>[]
  readonly maxAuthenticationAge?: Duration
  readonly refresh?: boolean
}>>

/** A validator sees the application's claims. */
export const adminOnly: ClaimValidator<Claims> = {
  id: 'admin',
  validate(payload) {
    typeOf(payload).is<Readonly<Claims>>()
    return { isValid: payload.role === 'admin' }
  },
}
// @ts-expect-error: a validator has an id
export const nameless: ClaimValidator<Claims> = { validate: () => ({ isValid: true }) }
// @ts-expect-error: what is found is an object
export const vague: ClaimValidator<Claims> = { id: 'admin', validate: () => true }
type Validity = { readonly isValid: true } | { readonly isValid: false; readonly reason?: unknown }
export type Validators = Expect<Equal<ClaimValidator<Claims>, {
  readonly id: string
  validate(payload: Readonly<Claims>): Validity | Promise<Validity>
}>>

/** The types of two applications are no stand-ins for each other. */
export function mixed(found: Found): void {
  // @ts-expect-error: another payload
  const other: Session<{ readonly scope: string }, Info> = found
  void other
}
