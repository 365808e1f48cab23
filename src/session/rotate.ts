import { GeneralError } from '../base/errors.ts'
import { transferModeOf } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { TransferMode } from '../base/wire.ts'
import { hashSecret, parseRefreshToken } from '../tokens/refresh-token.ts'
import type { RefreshKey, RefreshToken } from '../tokens/refresh-token.ts'
import type { KeyKeeper } from '../tokens/keys.ts'
import type { RefreshKeyRing } from '../tokens/key-ring.ts'
import type { RefreshCase, RefreshOutcome } from './core.ts'
import { decideRefresh } from './decide-refresh.ts'
import type { PresentedToken } from './decide-refresh.ts'
import type { Foundation } from './foundation.ts'
import { changeRetention, livenessAt } from './policy.ts'
import type { ClientInfo, SessionRecord } from './record.ts'

/** How often a decision is taken anew because another process wrote in between. */
const ATTEMPTS = 5

const refused = { kind: 'unauthorized', ended: false } as const
const ended = { kind: 'unauthorized', ended: true } as const

/** What a rotation needs: of the keys, those of refresh tokens alone. */
export interface Rotating<Ring extends RefreshKeyRing> extends Foundation {
  readonly keys: KeyKeeper<Ring>
}

/** How a refresh token was judged, and the next one. */
export type RotationOutcome<Ring extends RefreshKeyRing> =
  | RotatedOutcome<Ring>
  | Extract<RefreshOutcome<object>, { readonly kind: 'unauthorized' }>
  | TheftOutcome

/** Two parties hold tokens of the session, and the session has been removed. */
export interface TheftOutcome {
  readonly kind: 'theft'
  readonly userId: string
  readonly handle: SessionHandle
  /** Where the presented token and the current one stand in the lineage. */
  readonly presented: LineagePlace
  readonly current: LineagePlace
}

/** A refresh token's place in the lineage of its session. */
export interface LineagePlace {
  readonly generation: number
  readonly branch: number
}

/** The session has a current refresh token that is a child of the presented one. */
export interface RotatedOutcome<Ring extends RefreshKeyRing> {
  readonly kind: 'rotated'
  readonly how: RefreshCase
  readonly record: SessionRecord
  readonly refreshToken: string
  /** The keys at the moment of the rotation, and that moment. */
  readonly ring: Ring
  readonly now: EpochMilliseconds
}

/**
 * Exchanges a refresh token for the next one. The ordinary case is one conditional write: the child's secret is
 * derived from the parent's, so its hash is known before the record is read. Only when that write finds another
 * state is the record read and the case decided.
 */
export async function rotate<Ring extends RefreshKeyRing>(
  internals: Rotating<Ring>,
  text: string,
  channel: TransferMode,
  client: ClientInfo,
): Promise<RotationOutcome<Ring>> {
  const { crypto, keys, store, policy } = internals
  const token = parseRefreshToken(text)
  if (token === null || transferModeOf(token.handle) !== channel) return refused

  const known = await keys.current()
  const ring = known.refreshKey(token.kid) === null ? await keys.reloadForUnknownKid() : known
  const key = ring.refreshKey(token.kid)
  if (key === null || !await key.isGenuine(token)) return refused

  const now = await internals.now()
  const presented = { generation: token.generation, branch: token.branch, hash: await hashSecret(crypto, token.secret) }
  const context: Context<Ring> = { internals, ring, key, token, presented, client, now }

  const rotated = await rotateTo(context, presented.hash, token.generation + 1, 0)
  if (rotated !== null) return answer(context, rotated, 'rotate')

  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const record = await store.find(token.handle)
    if (record === null) return ended
    const current = await child(context, record.generation, record.branch)
    const decision = decideRefresh(record, presented, current.hash, now, policy)
    switch (decision.kind) {
      case 'expired':
        return ended
      case 'theft':
        return theft(context, record)
      case 'rotate': {
        const next = await rotateTo(context, record.refreshHash, token.generation + 1, 0)
        if (next !== null) return answer(context, next, decision.adopted ? 'adopt' : 'rotate')
        break
      }
      case 'branch': {
        const next = await rotateTo(context, record.refreshHash, record.generation, decision.branch)
        if (next !== null) return answer(context, next, 'branch')
        break
      }
      case 'retry': {
        if (!decision.extend) return answer(context, { record, secret: current.secret }, 'retry')
        const next = await serveAgain(context, record, current.secret)
        if (next !== null) return answer(context, next, 'retry')
        break
      }
    }
  }
  throw new GeneralError('STORE_UNAVAILABLE', 'the session was being changed by too many others at once')
}

/** One refresh under way. */
interface Context<Ring extends RefreshKeyRing> {
  readonly internals: Rotating<Ring>
  readonly ring: Ring
  /** The refresh key that the presented token names: every child of it is derived with this one. */
  readonly key: RefreshKey
  readonly token: RefreshToken
  readonly presented: PresentedToken
  readonly client: ClientInfo
  readonly now: EpochMilliseconds
}

/** A session whose current token is a child of the presented one, and that child's secret. */
interface Served {
  readonly record: SessionRecord
  readonly secret: string
}

/** The secret that the presented token's child has at this place in the lineage, and its hash. */
async function child<Ring extends RefreshKeyRing>(
  { internals, key, token }: Context<Ring>,
  generation: number,
  branch: number,
): Promise<{ readonly secret: string; readonly hash: string }> {
  const secret = await key.childSecret(token.handle, generation, branch, token.secret)
  return { secret, hash: await hashSecret(internals.crypto, secret) }
}

/** Makes a child of the presented token the current one, if the session still has this hash and is alive. */
async function rotateTo<Ring extends RefreshKeyRing>(
  context: Context<Ring>,
  expectedHash: string,
  generation: number,
  branch: number,
): Promise<Served | null> {
  const { internals, token, client, now } = context
  const { secret, hash } = await child(context, generation, branch)
  const record = await internals.store.rotate({
    handle: token.handle,
    expectedHash,
    alive: livenessAt(now, internals.policy),
    next: {
      refreshHash: hash,
      generation,
      branch,
      confirmed: false,
      rotatedAt: now,
      servedAt: now,
      client,
    },
  })
  return record === null ? null : { record, secret }
}

/** Remembers that the current token was given out again. */
async function serveAgain<Ring extends RefreshKeyRing>(
  context: Context<Ring>,
  current: SessionRecord,
  secret: string,
): Promise<Served | null> {
  const { internals, client, now } = context
  const { handle, refreshHash, generation, branch, confirmed, rotatedAt } = current
  const record = await internals.store.rotate({
    handle,
    expectedHash: refreshHash,
    alive: livenessAt(now, internals.policy),
    next: { refreshHash, generation, branch, confirmed, rotatedAt, servedAt: now, client },
  })
  return record === null ? null : { record, secret }
}

/** Writes the record's current token, which is a child of the presented one. */
async function answer<Ring extends RefreshKeyRing>(
  { ring, now }: Context<Ring>,
  { record, secret }: Served,
  how: RefreshCase,
): Promise<RotationOutcome<Ring>> {
  const { handle, generation, branch } = record
  // The child names the key in force when it was first given out, so that every process writes the same bytes.
  const refreshToken = await ring.refreshKeyAt(record.rotatedAt).write({ handle, generation, branch, secret })
  return { kind: 'rotated', how, record, refreshToken, ring, now }
}

/** Ends the session first, then tells (ROT-07). */
async function theft<Ring extends RefreshKeyRing>(
  context: Context<Ring>,
  record: SessionRecord,
): Promise<RotationOutcome<Ring>> {
  const { internals, presented, client, now } = context
  const { handle, userId } = record
  const revoked = internals.policy.theft === 'revoke'
  if (revoked) {
    const until = now + changeRetention(internals.policy)
    await internals.store.remove([handle], until)
    internals.feed.note({ kind: 'revoked', handles: [handle], until })
    internals.emit('onSessionRevoked', { handles: [handle], reason: 'theft' })
  }
  const places = {
    presented: { generation: presented.generation, branch: presented.branch },
    current: { generation: record.generation, branch: record.branch },
  }
  internals.emit('onTokenTheft', {
    userId,
    handle,
    ...places,
    sinceRotation: now - record.rotatedAt,
    presentedBy: client,
    lastRefreshedBy: record.client,
    revoked,
  })
  return revoked ? { kind: 'theft', userId, handle, ...places } : refused
}
