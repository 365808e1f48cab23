// The contracts, for authors of stores and adapters.
import { createSessions } from 'keyturn'
import type { GetSessionOptions, ReadonlySession, SessionReading } from 'keyturn'
import type {
  Reauthentication, Rotation, SessionHandle, SessionRecord, SessionStore, StoredEvent, StoredKey, TokenState,
  UserRemoval,
} from 'keyturn/stores'
import {
  ContractViolation, createAppFixture, describePage, describeReading, describeSession, frameworkContract, sampleEvent,
  sampleHandle, sampleKey, sampleNow, sampleReauthentication, sampleRecord, sampleRotation, sampleState,
  sampleUserRemoval,
  storeContract,
} from 'keyturn/testing/contracts'
import type {
  AppClaims, AppFixture, AppInfo, AppVariant, ContractCase, FrameworkCase, FrameworkHarness, Send, SessionDescription,
  SteppedCalls, StoreHarness, WireReply, WireRequest,
} from 'keyturn/testing/contracts'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'

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
export type Variants = Expect<Equal<AppVariant, 'plain' | 'token' | 'mounted' | 'proxied' | 'pages' | 'no-cors'>>
export type Sending = [
  Expect<Equal<Send, (request: WireRequest) => Promise<WireReply>>>,
  Expect<Equal<WireRequest, {
    readonly method: string
    readonly path: string
    readonly headers: readonly (readonly [name: string, value: string])[]
    readonly body: string | null
  }>>,
  Expect<Equal<WireReply, {
    readonly status: number
    readonly headers: readonly (readonly [name: string, value: string])[]
    readonly body: AsyncIterable<string>
  }>>,
]

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
export type Stepped = Expect<Equal<
  keyof SteppedCalls<[request: Request]>,
  'createNewSession' | 'getSession' | 'refreshSession' | 'signOut' | 'readSession'
>>
export function fixture(): void {
  const app = createAppFixture('plain')
  typeOf(app).is<AppFixture>()
  const own = createSessions<AppClaims, AppInfo>(app.options)
  typeOf(app.control(own, {})).is<Promise<string>>()
  typeOf(app.gate).is<() => Promise<void>>()
  typeOf(app.visit).is<() => void>()
  typeOf(app.report).is<(error: unknown) => void>()
  typeOf(app.failure).is<Error>()
  typeOf([app.prefix, app.cors]).is<readonly [string, boolean]>()
  typeOf(app.adminOnly).is<GetSessionOptions<AppClaims>>()
  typeOf(describePage).is<(session: ReadonlySession<AppClaims>, body?: string) => string>()
  typeOf(describeSession).is<(session: ReadonlySession<AppClaims>) => SessionDescription>()
  typeOf(describeReading).is<(reading: SessionReading<AppClaims>) => { kind: string; userId: string | null }>()
  // @ts-expect-error: no such variant
  createAppFixture('fast')
}

typeOf(sampleNow).is<number>()
typeOf(sampleHandle).is<(number: number) => SessionHandle>()
typeOf(sampleRecord).is<(overrides?: Partial<SessionRecord>) => SessionRecord>()
typeOf(sampleState).is<(record: SessionRecord) => TokenState>()
typeOf(sampleRotation).is<(overrides?: Partial<Rotation>) => Rotation>()
typeOf(sampleReauthentication)
  .is<(record: SessionRecord, overrides?: Partial<Reauthentication>) => Reauthentication>()
typeOf(sampleEvent).is<(number: number, overrides?: Partial<StoredEvent>) => StoredEvent>()
typeOf(sampleUserRemoval).is<(overrides?: Partial<UserRemoval>) => UserRemoval>()
typeOf(sampleKey).is<(kid: string, overrides?: Partial<StoredKey>) => StoredKey>()
// @ts-expect-error: no such field
sampleRecord({ user: 'ada' })
