// Stores by their URL, the port that a store implements, and what one is written with.
import * as keyturn from 'keyturn'
import * as stores from 'keyturn/stores'
import {
  ALL_USERS, applyConfirmation, applyInfoUpdate, applyPayloadUpdate, applyRotation, changeUntil, countClaims,
  countForNewest, createDeadline,
  createFollowers, createHeadPoller, decodeCursor, decodeEventPosition, decodePosition, eventPageOf,
  isSelected, isUnchanged, REMOVAL_LIMIT, SCAN_LIMIT, kindOfStore, mayAcquireLease, mergeNotBefore, newestPageOf,
  notBeforeName, notBeforeNames, openStoreByUrl, pageOf, parseHandle, storeKinds, toChangePage, toNewestPage, toPage,
  withKey, withMaterial, withoutKey, wrapStore,
} from 'keyturn/stores'
import type {
  ActiveBounds, AdmittedImport, Change, ChangeCursor, ChangeEntry, ChangePage, ClientInfo, Confirmation,
  EpochMilliseconds, EventKind,
  EventLogPage, EventPosition, EventQuery, Followers, HeadPoller, ImportAdmission, ImportClaim, ImportClaims,
  ImportCount, InfoUpdate, KeyPurpose, KeyStore, ListedSession,
  LoginFilter, MigrationResult, Milliseconds, NextToken, NotBefore,
  OpenStoreOptions, PagePosition, PageRequest, PayloadUpdate, PayloadUpdated, PresentedState, Reauthentication,
  Removal, RemovalPage, RemovedExpired, RemovedOfUser, RemovedPage, Rotation, SessionHandle, SessionPage,
  SessionRecord, SessionStore, SignatureAlgorithm, SigningPurpose, StoredEvent, StoredKey, StoreKind, StoreMigrations,
  StoreNaming,
  StoreState, TokenState, Lease, UserRemoval, WrapMethod,
} from 'keyturn/stores'
import { createMemoryStore } from 'keyturn/stores/memory'
import { typeOf } from '../expect.ts'
import type { Equal, Expect } from '../expect.ts'

typeOf(createMemoryStore).is<() => SessionStore>()
typeOf(openStoreByUrl).is<(url: string, options?: OpenStoreOptions) => Promise<SessionStore>>()
typeOf(kindOfStore).is<(url: string) => StoreKind>()
typeOf(storeKinds).is<readonly StoreKind[]>()
// @ts-expect-error: no such way to migrate
void openStoreByUrl('sqlite::memory:', { migrate: 'never' })

export type Kinds = [
  Expect<Equal<OpenStoreOptions, {
    readonly prefix?: string
    readonly schema?: string
    readonly migrate?: 'auto' | 'manual'
    readonly poolSize?: number
  }>>,
  Expect<Equal<StoreNaming, { readonly prefix?: string; readonly schema?: string }>>,
  Expect<Equal<StoreState, {
    readonly condition: 'ready' | 'missing' | 'outdated' | 'newer'
    readonly target: string
  }>>,
  Expect<Equal<StoreMigrations, {
    apply(url: string, naming: StoreNaming): Promise<MigrationResult>
    print(naming: StoreNaming): Promise<string>
  }>>,
  Expect<Equal<Omit<StoreKind, 'prefix' | 'schema'>, {
    readonly name: string
    readonly title: string
    readonly schemes: readonly string[]
    readonly example: string
    readonly system: string
    readonly isFile: boolean
    readonly hasPool: boolean
    open(url: string, options: OpenStoreOptions): Promise<SessionStore>
    inspect(url: string, naming: StoreNaming): Promise<StoreState>
    prefixFor(appId: string, prefix: string): string
    readonly migrations: StoreMigrations | null
  }>>,
  Expect<Equal<MigrationResult, { readonly from: number; readonly to: number }>>,
]

/** They are those of `keyturn`. */
export type Same = [
  Expect<Equal<keyturn.SessionStore, SessionStore>>,
  Expect<Equal<stores.GeneralErrorCode, keyturn.GeneralError['code']>>,
]
typeOf(stores.GeneralError).is<typeof keyturn.GeneralError>()

/** The port: every method, with all that it takes and gives. */
export type Port = Expect<Equal<Pick<SessionStore, Exclude<keyof SessionStore, keyof KeyStore | keyof ImportClaims>>, {
  insert(record: SessionRecord): Promise<boolean>
  find(handle: SessionHandle): Promise<SessionRecord | null>
  rotate(rotation: Rotation): Promise<SessionRecord | null>
  reauthenticate(reauthentication: Reauthentication): Promise<SessionRecord | null>
  confirm(confirmations: readonly Confirmation[]): Promise<void>
  updateInfo(update: InfoUpdate): Promise<boolean>
  updatePayload(update: PayloadUpdate): Promise<PayloadUpdated | null>
  remove(handles: readonly SessionHandle[], from: EpochMilliseconds): Promise<Removal>
  removeUnchanged(handle: SessionHandle, state: TokenState, from: EpochMilliseconds): Promise<Removal>
  removeByUser(removal: UserRemoval): Promise<RemovedOfUser>
  removeAll(page: RemovalPage): Promise<RemovedPage>
  listByUser(userId: string, page: PageRequest): Promise<SessionPage>
  listNewest(filter: LoginFilter, page: PageRequest): Promise<SessionPage>
  removeExpired(now: EpochMilliseconds, limit: number): Promise<RemovedExpired>
  acquireLease(task: string, holder: string, now: EpochMilliseconds, until: EpochMilliseconds): Promise<boolean>
  changesSince(cursor: string | null, limit: number): Promise<ChangePage>
  follow(wake: () => void): Promise<() => Promise<void>>
  appendEvent(event: StoredEvent): Promise<void>
  pageEvents(query: EventQuery, page: PageRequest): Promise<EventLogPage>
  time(): Promise<EpochMilliseconds | null>
  check(): Promise<void>
  close(): Promise<void>
}>>
export type Listing = Expect<Equal<
  keyof ListedSession, 'handle' | 'userId' | 'tenantId' | 'createdAt' | 'rotatedAt' | 'expiresAt' | 'client'
>>
export type Keys = [
  Expect<Equal<Pick<SessionStore, keyof KeyStore>, Pick<KeyStore, keyof KeyStore>>>,
  Expect<Equal<KeyStore, {
    listKeys(): Promise<readonly StoredKey[]>
    addKeyIfNewest(key: StoredKey, newest: string | null): Promise<boolean>
    replaceKeyMaterial(kid: string, current: string, next: string): Promise<boolean>
    removeKey(kid: string, until: EpochMilliseconds): Promise<boolean>
  }>>,
  Expect<Equal<StoredKey, {
    readonly kid: string
    readonly purpose: KeyPurpose
    readonly algorithm: SignatureAlgorithm | 'HMAC-SHA-256'
    readonly createdAt: EpochMilliseconds
    readonly activeFrom: EpochMilliseconds
    readonly material: string
  }>>,
  Expect<Equal<KeyPurpose, SigningPurpose | 'refresh'>>,
  Expect<Equal<SigningPurpose, 'access' | 'core-dynamic' | 'core-static'>>,
  Expect<Equal<SignatureAlgorithm, 'ES256' | 'EdDSA' | 'RS256' | 'HS256'>>,
]

/** What `keyturn/import` needs of a store. */
export type Imports = [
  Expect<Equal<Pick<SessionStore, keyof ImportClaims>, Pick<ImportClaims, keyof ImportClaims>>>,
  Expect<Equal<ImportClaims, {
    findImport(handle: SessionHandle): Promise<ImportClaim | null>
    admitImport(admission: ImportAdmission): Promise<AdmittedImport>
    countImports(): Promise<readonly ImportCount[]>
  }>>,
  Expect<Equal<ImportAdmission, { readonly claim: ImportClaim; readonly record: SessionRecord }>>,
  Expect<Equal<AdmittedImport, { readonly claim: ImportClaim; readonly outcome: 'admitted' | 'known' | 'refused' }>>,
  Expect<Equal<ImportCount, { readonly source: string; readonly day: number; readonly count: number }>>,
  Expect<Equal<ImportClaim, {
    readonly handle: SessionHandle
    readonly source: string
    readonly kid: string
    readonly proof: string
    readonly issuedAt: number
    readonly admittedAt: number
    readonly until: number
  }>>,
]

export type Records = [
  Expect<Equal<[EpochMilliseconds, Milliseconds], [number, number]>>,
  Expect<Equal<ClientInfo, { readonly ip: string | null; readonly userAgent: string | null }>>,
  Expect<Equal<SessionRecord, {
    readonly format: number
    readonly handle: SessionHandle
    readonly userId: string
    readonly tenantId: string
    readonly createdAt: number
    readonly authenticatedAt: number
    readonly refreshHash: string
    readonly anchorHash: string
    readonly refreshKeyId: string
    readonly generation: number
    readonly branch: number
    readonly confirmed: boolean
    readonly rotatedAt: number
    readonly servedAt: number
    readonly idleTimeout: number
    readonly absoluteExpiry: number | null
    readonly expiresAt: number
    readonly accessTokenLifetime: number
    readonly reuseInterval: number
    readonly persistent: boolean
    readonly jwtPayload: string
    readonly payloadVersion: number
    readonly sessionInfo: string
    readonly infoVersion: number
    readonly client: ClientInfo
  }>>,
]
// @ts-expect-error: any text is no handle
export const handle: SessionHandle = 'c0000000000000000000000'

/** What writes expect, and what they write. */
export type Writes = [
  Expect<Equal<Rotation, {
    readonly handle: SessionHandle
    readonly expected: PresentedState | TokenState
    readonly bounds: ActiveBounds
    readonly next: NextToken
  }>>,
  Expect<Equal<ActiveBounds, { readonly now: number; readonly rotatedAfter: number; readonly createdAfter: number }>>,
  Expect<Equal<PresentedState['confirmed'], undefined>>,
  Expect<Equal<
    keyof TokenState,
    'refreshHash' | 'anchorHash' | 'generation' | 'branch' | 'confirmed' | 'rotatedAt' | 'servedAt'
  >>,
  Expect<Equal<
    keyof NextToken,
    'refreshHash' | 'refreshKeyId' | 'generation' | 'branch' | 'confirmed' | 'rotatedAt' | 'servedAt' | 'client'
  >>,
  Expect<Equal<Reauthentication['expected'], TokenState>>,
  Expect<Equal<Reauthentication['next'], NextToken & Pick<SessionRecord, 'anchorHash' | 'authenticatedAt'>>>,
  Expect<Equal<Confirmation, { readonly handle: SessionHandle; readonly generation: number; readonly branch: number }>>,
  Expect<Equal<InfoUpdate, {
    readonly handle: SessionHandle
    readonly sessionInfo: string
    readonly expectedVersion: number | null
    readonly now: number
  }>>,
  Expect<Equal<PayloadUpdate, {
    readonly handle: SessionHandle
    readonly jwtPayload: string
    readonly expectedVersion: number | null
    readonly now: number
    readonly from: number
  }>>,
  Expect<Equal<PayloadUpdated, { readonly version: number; readonly until: number }>>,
  Expect<Equal<Removal, { readonly handles: readonly SessionHandle[]; readonly until: number }>>,
  Expect<Equal<UserRemoval, {
    readonly userId: string
    readonly tenantId: string | null
    readonly except: SessionHandle | null
    readonly from: number
    readonly notBefore: NotBefore
    readonly limit: number
    readonly after: string | null
  }>>,
  Expect<Equal<RemovedOfUser, {
    readonly handles: readonly SessionHandle[]
    readonly until: number
    readonly next: string | null
  }>>,
  Expect<Equal<RemovedExpired, { readonly removed: number; readonly more: boolean }>>,
  Expect<Equal<NotBefore, { readonly time: number; readonly until: number }>>,
  Expect<Equal<RemovalPage, { readonly notBefore: NotBefore; readonly limit: number; readonly after: string | null }>>,
  Expect<Equal<RemovedPage, { readonly removed: number; readonly next: string | null }>>,
]

/** What is read in pages. */
export type Pages = [
  Expect<Equal<PageRequest, { readonly limit: number; readonly after: string | null }>>,
  Expect<Equal<SessionPage, { readonly sessions: readonly ListedSession[]; readonly next: string | null }>>,
  Expect<Equal<LoginFilter, {
    readonly tenantId: string | null
    readonly ip: string | null
    readonly userAgent: string | null
  }>>,
  Expect<Equal<EventQuery, {
    readonly kinds: readonly EventKind[]
    readonly userId: string | null
    readonly handle: SessionHandle | null
  }>>,
  Expect<Equal<EventLogPage, { readonly events: readonly StoredEvent[]; readonly next: string | null }>>,
  Expect<Equal<EventKind, 'theft' | 'shared' | 'rejected' | 'audit'>>,
  Expect<Equal<StoredEvent, {
    readonly id: string
    readonly kind: EventKind
    readonly at: number
    readonly until: number
    readonly userId: string | null
    readonly handle: SessionHandle | null
    readonly detail: string
  }>>,
  Expect<Equal<EventPosition, { readonly at: number; readonly id: string }>>,
  Expect<Equal<PagePosition, { readonly createdAt: number; readonly handle: string }>>,
  Expect<Equal<ChangePage, {
    readonly changes: readonly Change[]
    readonly cursor: string | null
    readonly more: boolean
  }>>,
  Expect<Equal<ChangeCursor, { readonly id: string; readonly sequence: number }>>,
  Expect<Equal<ChangeEntry, { readonly id: string; readonly sequence: number; readonly change: Change }>>,
]
export function change(change: Change): void {
  typeOf(change.until).is<number>()
  if (change.kind === 'revoked') typeOf(change.handles).is<readonly SessionHandle[]>()
  else if (change.kind === 'payload') typeOf(change.version).is<number>()
  else typeOf(change.kind).is<'keys'>()
}

/** What a store is written with. */
export function parts(record: SessionRecord, read: () => Promise<string>, wrap: WrapMethod): void {
  typeOf(applyRotation).is<(record: SessionRecord, rotation: Rotation) => SessionRecord | null>()
  typeOf(applyConfirmation(record, { generation: 0, branch: 0 })).is<SessionRecord | null>()
  typeOf(applyInfoUpdate).is<(record: SessionRecord, update: Omit<InfoUpdate, 'handle'>) => SessionRecord | null>()
  typeOf(applyPayloadUpdate)
    .is<(record: SessionRecord, update: Omit<PayloadUpdate, 'handle' | 'from'>) => SessionRecord | null>()
  typeOf(REMOVAL_LIMIT).is<100>()
  typeOf(SCAN_LIMIT).is<1000>()
  typeOf(isUnchanged).is<(record: SessionRecord, state: TokenState) => boolean>()
  typeOf(changeUntil).is<(from: number, lifetimes: readonly number[]) => number>()
  typeOf(mayAcquireLease).is<(turn: Lease | null, holder: string, now: number) => boolean>()
  typeOf(countClaims)
    .is<(claims: Iterable<Pick<ImportClaim, 'source' | 'admittedAt'>>) => readonly ImportCount[]>()
  typeOf(withKey)
    .is<(keys: readonly StoredKey[], key: StoredKey, newest: string | null) => readonly StoredKey[] | null>()
  typeOf(withMaterial)
    .is<(keys: readonly StoredKey[], kid: string, current: string, next: string) => readonly StoredKey[] | null>()
  typeOf(withoutKey).is<(keys: readonly StoredKey[], kid: string) => readonly StoredKey[] | null>()
  typeOf(ALL_USERS).is<'*'>()
  typeOf(notBeforeName).is<(user: Pick<UserRemoval, 'userId' | 'tenantId'>) => string>()
  typeOf(notBeforeNames).is<(login: { readonly userId: string; readonly tenantId: string }) => readonly string[]>()
  typeOf(mergeNotBefore).is<(known: NotBefore | null, added: NotBefore) => NotBefore>()
  typeOf(decodePosition).is<(after: string | null) => PagePosition>()
  typeOf(pageOf).is<(records: readonly ListedSession[], request: PageRequest) => SessionPage>()
  typeOf(toPage).is<(read: readonly ListedSession[], limit: number) => SessionPage>()
  typeOf(countForNewest).is<(filter: LoginFilter, limit: number) => number>()
  typeOf(toNewestPage).is<(read: readonly ListedSession[], filter: LoginFilter, limit: number) => SessionPage>()
  typeOf(newestPageOf)
    .is<(records: readonly ListedSession[], filter: LoginFilter, page: PageRequest) => SessionPage>()
  typeOf(decodeEventPosition).is<(after: string | null) => EventPosition>()
  typeOf(eventPageOf).is<(events: readonly StoredEvent[], request: PageRequest) => EventLogPage>()
  typeOf(isSelected).is<(query: EventQuery, event: StoredEvent) => boolean>()
  typeOf(decodeCursor).is<(text: string | null) => ChangeCursor | null>()
  typeOf(toChangePage).is<(read: readonly ChangeEntry[], limit: number, head: ChangeCursor) => ChangePage>()
  typeOf(createFollowers).is<() => Followers>()
  typeOf(createFollowers().add(() => undefined)).is<() => void>()
  typeOf(createHeadPoller(read, 1000, () => undefined)).is<HeadPoller>()
  typeOf(createHeadPoller(read, 1000, () => undefined).start()).is<Promise<void>>()
  typeOf(parseHandle).is<(text: string) => SessionHandle | null>()
  typeOf(createDeadline(1000, 'a database')(read())).is<Promise<string>>()
  typeOf(wrapStore(wrap)).is<SessionStore>()
  typeOf(wrapStore((name, call) => (...input) => {
    typeOf(name).is<keyof SessionStore>()
    return call(createMemoryStore(), ...input)
  })).is<SessionStore>()
  // @ts-expect-error: a method is wrapped by a method
  wrapStore(() => createMemoryStore())
}
export type Leases = Expect<Equal<Lease, { readonly holder: string; readonly until: number }>>
