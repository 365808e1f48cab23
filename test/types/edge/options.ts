// The options of createSessions.
import { allowInsecureCookies, createSessions } from 'keyturn'
import type { CreateSessionsOptions, Duration, SessionEvents, SessionStore, TheftEvidence } from 'keyturn'
import type { Claims, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect, RequiredKeys } from '../expect.ts'

const origin = 'https://app.example.com'
declare const store: SessionStore

type Options = CreateSessionsOptions<Claims, Info>

export type Required = Expect<Equal<RequiredKeys<Options>, 'origin'>>
export type Durations = Expect<Equal<
  Duration, number | `${number}ms` | `${number}s` | `${number}m` | `${number}h` | `${number}d`
>>
export type OfThePolicy = Expect<Equal<Pick<Options, PolicyName>, {
  readonly accessTokenLifetime?: Duration
  readonly idleTimeout?: Duration
  readonly absoluteTimeout?: Duration
  readonly reuseInterval?: Duration
  readonly maxSessionsPerUser?: number
  readonly theft?: 'revoke' | 'observe'
  readonly sharedRefresh?: 'revoke' | 'observe'
  readonly accessTokenBlacklisting?: 'off' | 'feed' | 'strict'
  readonly maxStaleness?: Duration
  readonly pollInterval?: Duration
  readonly onStoreFailure?: 'failOpen' | 'failClosed'
  readonly maxSessionInfoBytes?: number
  readonly tokenCacheSize?: number
  readonly keyRotationInterval?: Duration
}>>
type PolicyName =
  | 'accessTokenLifetime' | 'idleTimeout' | 'absoluteTimeout' | 'reuseInterval' | 'maxSessionsPerUser' | 'theft'
  | 'sharedRefresh' | 'accessTokenBlacklisting' | 'maxStaleness' | 'pollInterval' | 'onStoreFailure'
  | 'maxSessionInfoBytes' | 'tokenCacheSize' | 'keyRotationInterval'
export type OfHttp = Expect<Equal<Pick<Options, HttpName>, {
  readonly origin: string
  readonly trustedOrigins?: readonly (string | ((origin: string) => boolean))[]
  readonly basePath?: string
  readonly gatewayPath?: string
  readonly antiCsrf?: 'origin' | 'custom-header' | 'token'
  readonly sessionExpiredStatusCode?: number
  readonly invalidClaimStatusCode?: number
}>>
type HttpName =
  | 'origin' | 'trustedOrigins' | 'basePath' | 'gatewayPath' | 'antiCsrf' | 'sessionExpiredStatusCode'
  | 'invalidClaimStatusCode'
export type OfCookies = Expect<Equal<NonNullable<Options['cookie']>, {
  readonly domain?: string
  readonly sameSite?: 'lax' | 'strict' | 'none'
  readonly partitioned?: boolean
  readonly accessTokenName?: string
  readonly refreshTokenName?: string
  readonly refreshTokenPath?: '/'
  readonly olderDomain?: string
}>>
export type OfTokens = Expect<Equal<Pick<Options, 'store' | 'secret' | 'algorithm' | 'audience' | 'application'>, {
  readonly store?: SessionStore
  readonly secret?: string | readonly string[]
  readonly algorithm?: 'ES256' | 'EdDSA' | 'RS256' | 'HS256'
  readonly audience?: string
  readonly application?: string
}>>
export type OfEvents = Expect<Equal<Options['events'], SessionEvents | undefined>>
export type OfCryptography = Expect<Equal<
  keyof NonNullable<Options['crypto']>,
  | 'isSynchronous' | 'randomBytes' | 'sha256' | 'digest' | 'mac' | 'generateKey' | 'signer' | 'verifier' | 'decodeText'
  | 'encodeText' | 'cipher'
>>
export type OfTests = Expect<Equal<Pick<Options, 'clock' | 'entropy' | 'schedule'>, {
  readonly clock?: () => number
  readonly entropy?: (length: number) => Uint8Array
  readonly schedule?: (task: () => void, delay: number) => () => void
}>>

export function wrong(): void {
  // @ts-expect-error: the origin is missing
  createSessions({ store })
  // @ts-expect-error: no such unit
  createSessions({ origin, accessTokenLifetime: '1 hour' })
  // @ts-expect-error: no such mode
  createSessions({ origin, accessTokenBlacklisting: 'on' })
  // @ts-expect-error: a promise of a store is none
  createSessions({ origin, store: Promise.resolve(store) })
  // @ts-expect-error: no such option
  createSessions({ origin, cookieDomain: 'example.com' })
  // @ts-expect-error: what is not known is left out
  createSessions({ origin, audience: undefined })
  // @ts-expect-error: it is true or false
  createSessions({ origin, [allowInsecureCookies]: 'yes' })
  // @ts-expect-error: a method of the store is missing
  createSessions({ origin, store: { find: store.find } })
}

export const events: SessionEvents = {
  onSessionCreated: event => typeOf(event).is<{ readonly userId: string; readonly handle: string }>(),
  onSessionRefreshed: event => typeOf(event).is<{
    readonly userId: string
    readonly handle: string
    readonly how: 'adopt' | 'early' | 'rotate' | 'retry' | 'branch'
  }>(),
  onSessionReauthenticated: event => typeOf(event).is<{ readonly userId: string; readonly handle: string }>(),
  onSessionRevoked: ({ handles, reason }) => {
    typeOf(handles).is<readonly string[]>()
    typeOf(reason).is<'revoked' | 'signed-out' | 'theft' | 'shared' | 'evicted'>()
  },
  onTokenTheft: evidence => typeOf(evidence).is<TheftEvidence>(),
  onRefreshShared: ({ revoked, presented }) => {
    typeOf(revoked).is<boolean>()
    typeOf(presented.by).is<{ readonly ip: string | null; readonly userAgent: string | null }>()
  },
  onRefreshRejected: ({ reason }) => typeOf(reason).is<'superseded' | 'forged'>(),
  onKeyRotated: ({ kid, purpose }) => {
    typeOf(kid).is<string>()
    typeOf(purpose).is<'access' | 'core-dynamic' | 'core-static' | 'refresh'>()
  },
  onBackgroundError: event => typeOf(event).is<{ readonly during: string; readonly error: unknown }>(),
  onUncheckedRevocation: ({ handle }) => typeOf(handle).is<string>(),
  onListenerError: event => typeOf(event).is<{ readonly listener: string; readonly error: unknown }>(),
}
// @ts-expect-error: there is no such event
export const unknownEvent: SessionEvents = { onLogin: () => undefined }

export function theft({ userId, handle, presented, current, revoked }: TheftEvidence): void {
  typeOf(userId).is<string>()
  typeOf(handle).is<string>()
  typeOf(presented.generation).is<number>()
  typeOf(presented.branch).is<number>()
  typeOf(current.at).is<number>()
  typeOf(revoked).is<boolean>()
}
