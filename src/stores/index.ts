// For code that opens a store by its URL (docs/stores.md) or implements one (docs/writing-a-store.md).

// The port, with every type in it.
export type { SessionHandle } from '../base/handle.ts'
export type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
export type {
  AdmittedImport, ImportAdmission, ImportClaim, ImportClaims, ImportCount,
} from '../session/import-claims.ts'
export type { ClientInfo, SessionRecord } from '../session/record.ts'
export type { Change, ChangePage } from '../session/change.ts'
export type {
  ActiveBounds, Confirmation, InfoUpdate, ListedSession, NextToken, NotBefore, PageRequest, PayloadUpdate,
  PayloadUpdated, PresentedState, Reauthentication, Removal, RemovalPage, RemovedExpired, RemovedOfUser, RemovedPage,
  Rotation, SessionPage, SessionStore, TokenState, UserRemoval,
} from '../session/store.ts'
export type { EventKind, EventLogPage, EventQuery, LoginFilter, StoredEvent } from '../session/stored-event.ts'
export { REMOVAL_LIMIT, SCAN_LIMIT } from '../session/store.ts'
export type { SignatureAlgorithm } from '../tokens/crypto.ts'
export type { KeyPurpose, KeyStore, SigningPurpose, StoredKey } from '../tokens/key-store.ts'

// The kinds of store that a URL can name. Their code and drivers are loaded when a store is opened.
export { kindOfStore, openStoreByUrl, storeKinds } from './registry.ts'
export type {
  MigrationResult, OpenStoreOptions, StoreKind, StoreMigrations, StoreNaming, StoreState,
} from './registry.ts'

// What each write does to the record, the lease or the keys that it finds.
export {
  applyConfirmation, applyInfoUpdate, applyPayloadUpdate, applyRotation, changeUntil, isUnchanged, mayAcquireLease,
} from './apply.ts'
export type { Lease } from './apply.ts'
export { withKey, withMaterial, withoutKey } from './key-list.ts'
export { ALL_USERS, mergeNotBefore, notBeforeName, notBeforeNames } from './not-before.ts'

export { countClaims } from './import-counts.ts'

// Pages of sessions and events, and the change log.
export { decodePosition, pageOf, toPage } from './page-position.ts'
export type { PagePosition } from './page-position.ts'
export { countForNewest, newestPageOf, toNewestPage } from './newest-page.ts'
export { decodeEventPosition, eventPageOf, isSelected } from './event-page.ts'
export type { EventPosition } from './event-page.ts'
export { decodeCursor, toChangePage } from './change-cursor.ts'
export type { ChangeCursor, ChangeEntry } from './change-cursor.ts'
export { createFollowers } from './followers.ts'
export type { Followers } from './followers.ts'
export { createHeadPoller } from './head-poller.ts'
export type { HeadPoller } from './head-poller.ts'

// Handles, errors and time limits.
export { parseHandle } from '../base/handle.ts'
export { GeneralError } from '../base/errors.ts'
export type { FailureReason, GeneralErrorCode } from '../base/errors.ts'
export { wrapStore } from '../session/wrap-store.ts'
export type { WrapMethod } from '../session/wrap-store.ts'
export { createDeadline } from './deadline.ts'
