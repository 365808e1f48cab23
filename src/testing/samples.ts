import { createHandle } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds, Milliseconds } from '../base/time.ts'
import type { ImportClaim } from '../session/import-claims.ts'
import type { SessionRecord } from '../session/record.ts'
import { RECORD_FORMAT } from '../session/record.ts'
import { REMOVAL_LIMIT } from '../session/store.ts'
import type {
  ListedSession, NextToken, PresentedState, Reauthentication, Rotation, StoredEvent, TokenState, UserRemoval,
} from '../session/store.ts'
import type { StoredKey } from '../tokens/key-store.ts'

/**
 * The current time of the samples: 2100-01-01T00:00:00Z. In the far future, so that a store which lets the database
 * expire rows by its own clock keeps them during a test.
 */
export const sampleNow: EpochMilliseconds = 4_102_444_800_000

/** A minute, in milliseconds. */
export const minute: Milliseconds = 60_000

/** The handle with this number. A greater number gives a greater handle. */
export function sampleHandle(number: number): SessionHandle {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(0, number)
  return createHandle('cookie', () => bytes)
}

/**
 * A session that is active at {@link sampleNow}, with the members that the test overrides. Its `expiresAt` is computed
 * from the other times unless it is given.
 */
export function sampleRecord(overrides: Partial<SessionRecord> = {}): SessionRecord {
  const createdAt = overrides.createdAt ?? sampleNow - 10 * minute
  const record = {
    format: RECORD_FORMAT,
    handle: sampleHandle(1),
    userId: 'user-1',
    tenantId: 'public',
    createdAt,
    authenticatedAt: createdAt,
    refreshHash: 'hash-0',
    anchorHash: 'anchor-0',
    refreshKeyId: 'key-0',
    generation: 0,
    branch: 0,
    confirmed: false,
    rotatedAt: createdAt,
    servedAt: createdAt,
    idleTimeout: 60 * minute,
    absoluteExpiry: null,
    accessTokenLifetime: 5 * minute,
    reuseInterval: minute / 2,
    persistent: true,
    jwtPayload: '{"role":"reader"}',
    payloadVersion: 0,
    sessionInfo: '{"cart":[]}',
    infoVersion: 0,
    client: { ip: '192.0.2.1', userAgent: 'Sample/1.0' },
    ...overrides,
  }
  const idleExpiry = record.rotatedAt + record.idleTimeout
  return { expiresAt: Math.min(idleExpiry, record.absoluteExpiry ?? idleExpiry), ...record }
}

/** What a rotation of a fresh {@link sampleRecord} at {@link sampleNow} writes. */
export function sampleNext(overrides: Partial<NextToken> = {}): NextToken {
  return {
    refreshHash: 'hash-1',
    refreshKeyId: 'key-1',
    generation: 1,
    branch: 0,
    confirmed: false,
    rotatedAt: sampleNow,
    servedAt: sampleNow,
    client: { ip: '198.51.100.7', userAgent: 'Sample/2.0' },
    ...overrides,
  }
}

/** The state of the token of a fresh {@link sampleRecord}, as far as the presented token shows it. */
export function samplePresented(overrides: Partial<PresentedState> = {}): PresentedState {
  return { refreshHash: 'hash-0', anchorHash: 'anchor-0', generation: 0, branch: 0, ...overrides }
}

/** The complete state of a record's token, as a process that has read the record expects it. */
export function sampleState(record: SessionRecord): TokenState {
  const { refreshHash, anchorHash, generation, branch, confirmed, rotatedAt, servedAt } = record
  return { refreshHash, anchorHash, generation, branch, confirmed, rotatedAt, servedAt }
}

/** The removal of all sessions of a user, which refuses no login. */
export function sampleUserRemoval(overrides: Partial<UserRemoval> = {}): UserRemoval {
  return {
    userId: 'user-1', tenantId: null, except: null, from: sampleNow, notBefore: { time: 0, until: sampleNow },
    limit: REMOVAL_LIMIT, after: null, ...overrides,
  }
}

/** What `listByUser` returns of a record. */
export function sampleListed(record: SessionRecord): ListedSession {
  const { handle, userId, tenantId, createdAt, rotatedAt, expiresAt, client } = record
  return { handle, userId, tenantId, createdAt, rotatedAt, expiresAt, client }
}

/** A rotation of a fresh {@link sampleRecord} at {@link sampleNow}. */
export function sampleRotation(overrides: Partial<Rotation> = {}): Rotation {
  return {
    handle: sampleHandle(1),
    expected: samplePresented(),
    bounds: { now: sampleNow, rotatedAfter: 0, createdAfter: 0 },
    next: sampleNext(),
    ...overrides,
  }
}

/** A re-authentication of a session at {@link sampleNow}. */
export function sampleReauthentication(
  record: SessionRecord,
  overrides: Partial<Reauthentication> = {},
): Reauthentication {
  const next = sampleNext({ generation: record.generation + 1, confirmed: true })
  return {
    ...sampleRotation({ handle: record.handle }),
    expected: sampleState(record),
    next: { ...next, anchorHash: 'anchor-1', authenticatedAt: sampleNow },
    ...overrides,
  }
}

/** The event with this number. Greater numbers are later, a minute each, and kept for an hour. */
export function sampleEvent(number: number, overrides: Partial<StoredEvent> = {}): StoredEvent {
  const at = sampleNow + number * minute
  return {
    id: `event-${String(number).padStart(4, '0')}`,
    kind: 'theft',
    at,
    until: at + 60 * minute,
    userId: 'user-1',
    handle: sampleHandle(1),
    detail: `{"number":${number}}`,
    ...overrides,
  }
}

/** A claim on the session {@link sampleRecord}, admitted at {@link sampleNow}. */
export function sampleClaim(overrides: Partial<ImportClaim> = {}): ImportClaim {
  return {
    handle: sampleHandle(1),
    source: 'sample',
    kid: 'key-0',
    proof: '',
    issuedAt: sampleNow - 60 * minute,
    admittedAt: sampleNow,
    until: sampleNow + 24 * 60 * minute,
    ...overrides,
  }
}

/** A signing key, active at {@link sampleNow}. */
export function sampleKey(kid: string, overrides: Partial<StoredKey> = {}): StoredKey {
  return {
    kid,
    purpose: 'access',
    algorithm: 'ES256',
    createdAt: sampleNow - 2 * minute,
    activeFrom: sampleNow - minute,
    material: `{"of":"${kid}"}`,
    ...overrides,
  }
}
