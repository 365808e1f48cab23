import { GeneralError } from '../base/errors.ts'
import { transferModeOf } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { TransferMode } from '../base/wire.ts'
import { hashAnchor, hashSecret, parseRefreshToken } from '../tokens/refresh-token.ts'
import type { RefreshKey, RefreshToken } from '../tokens/refresh-token.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import type { RefreshCase, TheftOutcome, RefreshOutcome } from './core.ts'
import { decideRefresh } from './decide-refresh.ts'
import type { LineagePlace } from './decide-refresh.ts'
import { isShared } from './decide-shared.ts'
import { wasStolen } from './event-log.ts'
import type { RefreshEvidence } from './events.ts'
import type { Engine } from './engine.ts'
import { changeStart, isActive, activeBounds } from './policy.ts'
import type { ClientInfo, SessionRecord } from './record.ts'
import type { NextToken, Rotation } from './store.ts'
import { ATTEMPTS, busyRecord, busyUntil, stateOf } from './token-state.ts'

const unauthorized = { kind: 'unauthorized', ended: false } as const
const expired = { kind: 'unauthorized', ended: 'expired' } as const
const revoked = { kind: 'unauthorized', ended: 'revoked' } as const
const stolen = { kind: 'unauthorized', ended: 'theft' } as const

/** The data of one refresh. */
interface Context {
  readonly engine: Engine
  readonly ring: KeyRing
  /** The refresh key that the presented token names: all of its children are derived with this key. */
  readonly key: RefreshKey
  readonly text: string
  readonly token: RefreshToken
  /** SHA-256 of the token's secret and of its anchor. */
  readonly refreshHash: string
  readonly anchorHash: string
  readonly client: ClientInfo
  readonly now: EpochMilliseconds
}

/**
 * Exchanges a refresh token for the next one, or returns it again if it was delivered a moment ago. The ordinary case
 * is one conditional write: the child's secret is derived from the parent's, so its hash is known without reading the
 * record. Only if that write does not apply, the record is read and the case is decided. `channel`: how the client sent
 * the token; null if that is unknown.
 * @throws GeneralError (`REFRESH_BUSY`) if the client must send the same token again after `retryAfter` seconds.
 */
export async function rotate(
  engine: Engine,
  text: string,
  channel: TransferMode | null,
  client: ClientInfo,
): Promise<RotationOutcome> {
  const { crypto, keys, store, policy } = engine
  const token = parseRefreshToken(text)
  if (token === null || (channel !== null && transferModeOf(token.handle) !== channel)) return unauthorized

  const known = await keys.current()
  const ring = known.refreshKey(token.kid) === null ? await keys.reloadForUnknownKid() : known
  const key = ring.refreshKey(token.kid)
  if (key === null || await key.hasValidTag(token) !== true) return unauthorized

  const now = await engine.now()
  const context: Context = {
    engine, ring, key, text, token, client, now,
    refreshHash: await hashSecret(crypto, token.secret),
    anchorHash: await hashAnchor(crypto, token.anchor),
  }
  for (let attempt = 0; attempt <= ATTEMPTS; attempt++) {
    const rotated = attempt === 0 ? await rotateUnread(context) : null
    if (rotated !== null) return rotated
    const record = await store.find(token.handle)
    if (record === null) return await wasStolen(store, token.handle) ? stolen : revoked
    if (!isActive(record, activeBounds(now, policy))) return expired
    const outcome = await settle(context, record)
    if (outcome !== null) return outcome
  }
  throw busyRecord()
}

/**
 * Without reading the record: makes the presented token's first child current, if that token is current and may rotate.
 */
async function rotateUnread(
  context: Context,
): Promise<RotatedOutcome | null> {
  const { refreshHash, anchorHash, token: { generation, branch } } = context
  return replaceCurrent(context, { refreshHash, anchorHash, generation, branch }, generation + 1, 0, 'rotate')
}

/** Decides by the record and carries the decision out; null if the record was changed in the meantime. */
async function settle(
  context: Context,
  record: SessionRecord,
): Promise<RotationOutcome | null> {
  const { token, now } = context
  const child = await childOf(context, record.generation, record.branch)
  const decision = decideRefresh(record, {
    generation: token.generation,
    branch: token.branch,
    isAnchored: context.anchorHash === record.anchorHash,
    isCurrent: context.refreshHash === record.refreshHash,
    isParent: token.generation === record.generation - 1 && child.hash === record.refreshHash,
  }, now)
  switch (decision.kind) {
    case 'superseded':
    case 'forged':
      context.engine.evidence.report('onRefreshRejected', { reason: decision.kind, ...evidenceOf(context, record) })
      return unauthorized
    case 'busy':
      throw busyUntil(decision.until, now)
    case 'adopt':
      return adopt(context, record)
    case 'early':
      return serveAgain(context, record, token.secret, 'early', decision.isServed)
    case 'rotate':
      return rotateUnread(context)
    case 'retry':
      return serveAgain(context, record, child.secret, 'retry', decision.isServed)
    case 'branch':
      return replaceCurrent(context, stateOf(record), record.generation, decision.branch, 'branch')
    case 'theft':
      return endForTheft(context, record)
  }
}

/** The secret of the presented token's child at this place in the lineage, and its hash. */
async function childOf(
  { engine, key, token }: Context,
  generation: number,
  branch: number,
): Promise<{ readonly secret: string; readonly hash: string }> {
  const secret = await key.childSecret(token.handle, generation, branch, token.secret)
  return { secret, hash: await hashSecret(engine.crypto, secret) }
}

/** Makes a child of the presented token current. */
async function replaceCurrent(
  context: Context,
  expected: Rotation['expected'],
  generation: number,
  branch: number,
  how: RefreshCase,
): Promise<RotatedOutcome | null> {
  const { ring, client, now } = context
  const { secret, hash } = await childOf(context, generation, branch)
  const record = await write(context, expected, {
    refreshHash: hash,
    refreshKeyId: ring.refreshKeyAt(now).kid,
    generation,
    branch,
    confirmed: false,
    rotatedAt: now,
    servedAt: now,
    client,
  })
  return record === null ? null : answer(context, record, secret, how)
}

/** Makes the presented token current, because the store has lost it. */
async function adopt(
  context: Context,
  known: SessionRecord,
): Promise<RotatedOutcome | null> {
  const { token: { kid, generation, branch, secret }, refreshHash, client, now } = context
  const record = await write(context, stateOf(known), {
    refreshHash, refreshKeyId: kid, generation, branch, confirmed: false, rotatedAt: now, servedAt: now, client,
  })
  return record === null ? null : answer(context, record, secret, 'adopt')
}

/** Returns the current token, whose secret is known. `isServed`: also sets `servedAt`. */
async function serveAgain(
  context: Context,
  known: SessionRecord,
  secret: string,
  how: RefreshCase,
  isServed: boolean,
): Promise<RotationOutcome | null> {
  const { engine, client, now } = context
  if (isShared(known.client, client)) {
    const isRevoked = engine.policy.sharedRefresh === 'revoke'
    if (isRevoked && !await remove(context, known, 'shared')) return null
    engine.evidence.report('onRefreshShared', { ...evidenceOf(context, known), revoked: isRevoked })
    if (isRevoked) return theftOutcome(context, known)
  }
  const { refreshHash, refreshKeyId, generation, branch, confirmed, rotatedAt } = known
  const record = isServed
    ? await write(context, stateOf(known), {
      refreshHash, refreshKeyId, generation, branch, confirmed, rotatedAt, servedAt: now, client: known.client,
    })
    : known
  return record === null ? null : answer(context, record, secret, how)
}

async function write(
  { engine, token, now }: Context,
  expected: Rotation['expected'],
  next: NextToken,
): Promise<SessionRecord | null> {
  const bounds = activeBounds(now, engine.policy)
  return engine.store.rotate({ handle: token.handle, expected, bounds, next })
}

/**
 * Creates the session's current token. It names the key that was active when it became current: always the same bytes.
 */
async function answer(
  { engine, ring, text, token, now }: Context,
  record: SessionRecord,
  secret: string,
  how: RefreshCase,
): Promise<RotatedOutcome> {
  const { handle, generation, branch, refreshKeyId } = record
  if (secret === token.secret) return { kind: 'rotated', how, record, refreshToken: text, ring, now }
  const key = ring.refreshKey(refreshKeyId) ?? (await engine.keys.reloadForUnknownKid()).refreshKey(refreshKeyId)
  if (key === null) {
    throw new GeneralError('STORE_UNAVAILABLE', `the refresh key ${refreshKeyId} of the session is not in the store`)
  }
  const refreshToken = await key.write({ handle, generation, branch, anchor: token.anchor, secret })
  return { kind: 'rotated', how, record, refreshToken, ring, now }
}

/** Revokes the session first, then reports it (ROT-07); null if the record was changed in the meantime. */
async function endForTheft(
  context: Context,
  record: SessionRecord,
): Promise<RotationOutcome | null> {
  const isRevoked = context.engine.policy.theft === 'revoke'
  if (isRevoked && !await remove(context, record, 'theft')) return null
  context.engine.evidence.report('onTokenTheft', { ...evidenceOf(context, record), revoked: isRevoked })
  return isRevoked ? theftOutcome(context, record) : unauthorized
}

/** Removes the session if its token state has not changed since it was read. Returns whether it did. */
async function remove(
  { engine, now }: Context,
  record: SessionRecord,
  reason: 'theft' | 'shared',
): Promise<boolean> {
  const { handles, until } = await engine.store.removeUnchanged(record.handle, stateOf(record), changeStart(now))
  if (handles.length === 0) return false
  engine.feed.applyLocally({ kind: 'revoked', handles, until })
  engine.emit('onSessionRevoked', { handles, reason })
  return true
}

function theftOutcome(
  context: Context,
  { userId, handle, generation, branch }: SessionRecord,
): TheftOutcome {
  return { kind: 'theft', userId, handle, presented: placeOf(context), current: { generation, branch } }
}

function evidenceOf(
  context: Context,
  { userId, handle, generation, branch, rotatedAt, client }: SessionRecord,
): RefreshEvidence {
  return {
    userId,
    handle,
    presented: { ...placeOf(context), at: context.now, by: context.client },
    current: { generation, branch, at: rotatedAt, by: client },
  }
}

function placeOf({ token }: Context): LineagePlace {
  return { generation: token.generation, branch: token.branch }
}

/** The result of a rotation. */
type RotationOutcome =
  | RotatedOutcome
  | Extract<RefreshOutcome<object>, { readonly kind: 'unauthorized' }>
  | TheftOutcome

/** The refresh token to return is the session's current one: the presented one, or a child of it. */
interface RotatedOutcome {
  readonly kind: 'rotated'
  readonly how: RefreshCase
  readonly record: SessionRecord
  readonly refreshToken: string
  /** The key ring at the time of the rotation, and that time. */
  readonly ring: KeyRing
  readonly now: EpochMilliseconds
}
