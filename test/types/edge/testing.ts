// The contracts, and what an application's own tests use.
import { createSessions } from 'keyturn'
import type { LoginOptions, ReadonlySession, Session, SessionReading, SessionStore } from 'keyturn'
import { createMemoryStore } from 'keyturn/stores/memory'
import {
  assertSessionUntouched, assertSignedIn, assertSignedOut, ContractViolation, createAppFixture, createFakeClock,
  describeReading, describeSession, frameworkContract, inMemory, sampleHandle, sampleKey, sampleNext, sampleNow,
  samplePresented, sampleRecord, sampleRotation, sampleState, sampleUserRemoval, sessionChangeOf, signIn, storeContract,
} from 'keyturn/testing'
import type {
  AppClaims, AppFixture, AppInfo, AppVariant, ContractCase, FakeClock, FrameworkCase, FrameworkHarness,
  InMemoryOptions, Send, SessionChange, SessionDescription, SignedIn, SignInOptions, StoreHarness, TestedResponse,
  WireReply, WireRequest,
} from 'keyturn/testing'
import { sessions } from '../application.ts'
import type { Claims, Info } from '../application.ts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'

typeOf(createMemoryStore()).is<SessionStore>()

export async function application(response: Response): Promise<void> {
  createSessions<Claims, Info>({ origin: 'http://localhost', ...inMemory() })
  typeOf(inMemory()).is<InMemoryOptions>()
  typeOf(inMemory().clock).is<FakeClock>()
  typeOf(createFakeClock).is<(start?: number) => FakeClock>()
  typeOf(createFakeClock()()).is<number>()
  typeOf(createFakeClock().advance).is<(by: number) => void>()
  typeOf(signIn(sessions, 'ada', { payload: { role: 'reader' }, info: { cart: [] }, mode: 'header' }))
    .is<Promise<SignedIn>>()
  // @ts-expect-error: no such role
  await signIn(sessions, 'ada', { payload: { role: 'owner' } })
  // @ts-expect-error: no such mode
  await signIn(sessions, 'ada', { mode: 'bearer' })
  // @ts-expect-error: who signs in
  await signIn(sessions, {})

  typeOf(assertSignedIn).is<(response: TestedResponse, userId: string) => void>()
  typeOf(assertSignedOut).is<(response: TestedResponse) => void>()
  typeOf(assertSessionUntouched).is<(response: TestedResponse) => void>()
  typeOf(sessionChangeOf).is<(response: TestedResponse) => SessionChange>()
  const change = sessionChangeOf(response)
  // @ts-expect-error: a session may not have been issued
  change.userId
  if (change.kind !== 'issued') return
  typeOf(change.userId).is<string>()
  typeOf(change.hasRefreshToken).is<boolean>()
  typeOf(change.claims['role']).is<Json | undefined>()
  // @ts-expect-error: a response has headers
  assertSignedOut({ status: 401 })
}
type Json = string | number | boolean | null | Json[] | { [member: string]: Json }
export type Login = Expect<Equal<SignInOptions<Claims, Info>, {
  readonly payload?: Claims
  readonly info?: Info
  readonly mode?: 'cookie' | 'header'
  readonly options?: LoginOptions
}>>
export type Parts = Expect<Equal<Pick<InMemoryOptions, 'store' | 'schedule' | 'maxStaleness'>, {
  readonly store: SessionStore
  readonly schedule: () => () => void
  readonly maxStaleness: number
}>>
export type Pair = Expect<Equal<SignedIn, {
  readonly handle: string
  readonly accessToken: string
  readonly refreshToken: string
  readonly headers: Readonly<Record<string, string>>
  readonly refreshHeaders: Readonly<Record<string, string>>
}>>
export type Tested = Expect<Equal<
  TestedResponse['headers'], Headers | Readonly<Record<string, string | number | readonly string[] | undefined>>
>>

export async function contracts(store: StoreHarness, framework: FrameworkHarness): Promise<void> {
  typeOf(storeContract).is<readonly ContractCase[]>()
  typeOf(frameworkContract).is<readonly FrameworkCase[]>()
  for (const { name, run } of storeContract) typeOf([name, await run(store)]).is<readonly [string, void]>()
  for (const { name, run } of frameworkContract) typeOf([name, await run(framework)]).is<readonly [string, void]>()
  typeOf(store.open).is<() => Promise<SessionStore>>()
  typeOf(framework.open).is<(variant: AppVariant) => Promise<Send>>()
  // @ts-expect-error: a store harness is none of a framework
  await frameworkContract[0]?.run(store)
  typeOf(new ContractViolation('why').name).is<'ContractViolation'>()
}
export type Variants = Expect<Equal<AppVariant, 'plain' | 'token' | 'mounted' | 'proxied' | 'no-cors'>>
export type Sending = Expect<Equal<Send, (request: WireRequest) => Promise<WireReply>>>

export type Application = [
  Expect<Equal<AppClaims, { role?: string }>>,
  Expect<Equal<AppInfo, { note?: string }>>,
  Expect<Equal<SessionDescription, {
    readonly userId: string
    readonly handle: string
    readonly tenantId: string
    readonly payload: AppClaims
  }>>,
]
export function fixture(): void {
  const app = createAppFixture('plain')
  typeOf(app).is<AppFixture>()
  const own = createSessions<AppClaims, AppInfo>(app.options)
  typeOf(app.control(own, {})).is<Promise<string>>()
  typeOf(app.keep).is<(session: Session<AppClaims, AppInfo>) => void>()
  typeOf(app.gate).is<() => Promise<void>>()
  typeOf(app.visit).is<() => void>()
  typeOf(app.report).is<(error: unknown) => void>()
  typeOf(app.failure).is<Error>()
  typeOf([app.prefix, app.cors]).is<readonly [string, boolean]>()
  typeOf(app.adminOnly.required).is<true | undefined>()
  typeOf(describeSession).is<(session: ReadonlySession<AppClaims>) => SessionDescription>()
  typeOf(describeReading).is<(reading: SessionReading<AppClaims>) => { kind: string; userId: string | null }>()
  // @ts-expect-error: no such variant
  createAppFixture('fast')
}

export async function samples(store: SessionStore): Promise<void> {
  const record = sampleRecord({ userId: 'ada' })
  typeOf(store.insert(record)).is<Promise<boolean>>()
  typeOf(await store.find(sampleHandle(1))).is<typeof record | null>()
  typeOf(await store.rotate(sampleRotation({ next: sampleNext(), expected: samplePresented() })))
    .is<typeof record | null>()
  await store.removeUnchanged(record.handle, sampleState(record), sampleNow)
  await store.removeByUser(sampleUserRemoval({ tenantId: null }))
  typeOf(sampleKey('kid').kid).is<string>()
  // @ts-expect-error: any text is no handle
  await store.find('handle')
  // @ts-expect-error: no such field
  sampleRecord({ user: 'ada' })
}
