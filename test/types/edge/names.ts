// Types that signatures name, so that an application can name them, too.
import type {
  AntiCsrf, Blacklisting, ClaimValidity, Clock, Compute, CookieOptions, CreateSessionsOptions, Entropy, Health,
  JsonObject, JsonValue, ListOptions, RefreshCase, RejectedRefreshEvidence, RevokeOptions, Scheduler, SessionEvents,
  Sessions, SharedRefreshEvidence, StandardSchema, StoreFailure, TenantOptions, TheftEvidence, TokenUse, Update,
} from 'keyturn'
import type { Claims, Info } from '../application.ts'
import type { Equal, Expect } from '../expect.ts'

type Options = CreateSessionsOptions<Claims, Info>
type Calls = Sessions<Claims, Info>
type EventOf<Name extends keyof SessionEvents> = Parameters<NonNullable<SessionEvents[Name]>>[0]

export type OfOptions = [
  Expect<Equal<NonNullable<Options['antiCsrf']>, AntiCsrf>>,
  Expect<Equal<NonNullable<Options['accessTokenBlacklisting']>, Blacklisting>>,
  Expect<Equal<NonNullable<Options['clock']>, Clock>>,
  Expect<Equal<NonNullable<Options['cookie']>, CookieOptions>>,
  Expect<Equal<NonNullable<Options['entropy']>, Entropy>>,
  Expect<Equal<NonNullable<Options['schedule']>, Scheduler>>,
  Expect<Equal<NonNullable<Options['payload']>, StandardSchema<Claims, Claims>>>,
]
export type OfEvents = [
  Expect<Equal<EventOf<'onRefreshRejected'>, RejectedRefreshEvidence>>,
  Expect<Equal<EventOf<'onRefreshShared'>, SharedRefreshEvidence>>,
  Expect<Equal<EventOf<'onSessionRefreshed'>['how'], RefreshCase>>,
  Expect<Equal<TheftEvidence['presented'], TokenUse>>,
]
export type OfCalls = [
  Expect<Equal<NonNullable<Parameters<Calls['listSessions']>[1]>, ListOptions>>,
  Expect<Equal<NonNullable<Parameters<Calls['revokeAllSessionsForUser']>[1]>, RevokeOptions>>,
  Expect<Equal<NonNullable<Parameters<Calls['getAllSessionHandlesForUser']>[1]>, TenantOptions>>,
  Expect<Equal<Parameters<Calls['updateSessionInfo']>[1], Update<Info>>>,
  Expect<Equal<ReturnType<Compute<Info, Info>>, Info | Promise<Info>>>,
  Expect<Equal<Health['store']['lastFailure'], StoreFailure | null>>,
  Expect<Equal<Sessions<JsonObject, JsonObject>['getSessionInfo'], (handle: string) => Promise<JsonObject>>>,
  Expect<Equal<JsonObject[string], JsonValue>>,
  Expect<Equal<ClaimValidity['isValid'], boolean>>,
]
