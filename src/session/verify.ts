import { reissueAccessToken } from '#session-flows'
import { andThen, isPromise } from '../base/awaitable.ts'
import type { Awaitable } from '../base/awaitable.ts'
import { GeneralError } from '../base/errors.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import { TwoGenerationMap } from '../base/two-generation-map.ts'
import { endOfToken, MAX_ACCESS_TOKEN_LENGTH, readAccessToken } from '../tokens/access-token.ts'
import type { AccessTokenReading } from '../tokens/access-token.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import type { ActiveOutcome, Blacklisting, VerifyOptions, VerifyOutcome } from './core.ts'
import type { Internals } from './internals.ts'
import { CLOCK_TOLERANCE, isAlive, livenessAt } from './policy.ts'
import type { SessionRecord } from './record.ts'

/** A token whose signature and static claims held. What can change is judged anew at every use. */
interface Verified<Payload extends object> {
  readonly active: ActiveOutcome<Payload>
  /** When the token, or the configured lifetime, ends. */
  readonly expiresAt: EpochMilliseconds
}

const foreign = { kind: 'foreign' } as const
const expired = { kind: 'refresh-required', reason: 'expired' } as const

/**
 * Makes the verification of one application. A token seen before costs a digest and a look-up; expiry, key set
 * and revocation are looked at on every use (TOK-17). Answers synchronously unless it has to wait for something.
 */
export function createVerify<Payload extends object, Info extends object>(
  internals: Internals<Payload, Info>,
): (accessToken: string, options?: VerifyOptions) => Awaitable<VerifyOutcome<Payload>> {
  const { crypto, clock, policy, keys, feed, confirmations } = internals
  const { issuer, audience } = internals.identity
  // Keyed by a digest of the whole token, so that no bearer token lies in memory and no malleable part counts.
  const cache = new TwoGenerationMap<Verified<Payload>>(policy.tokenCacheSize)
  let cachedEpoch = -1

  function verify(accessToken: string, options?: VerifyOptions): Awaitable<VerifyOutcome<Payload>> {
    if (accessToken.length > MAX_ACCESS_TOKEN_LENGTH) return foreign
    const mode = options?.blacklisting ?? policy.blacklisting
    // The log tells of removed keys as well: nothing is judged before it was read.
    const starting = mode === 'off' ? undefined : feed.start()
    if (typeof starting === 'object') return starting.then(() => verify(accessToken, options))
    const now = clock()
    const ring = keys.current(now)
    const digest = policy.tokenCacheSize === 0 ? null : crypto.digest(accessToken)
    if ('then' in ring || isPromise(digest)) return verifyLater(ring, digest, accessToken, mode)
    return verifyWith(ring, digest, accessToken, mode, now)
  }

  async function verifyLater(
    ring: Awaitable<KeyRing>,
    digest: Awaitable<string | null>,
    accessToken: string,
    mode: Blacklisting,
  ): Promise<VerifyOutcome<Payload>> {
    return verifyWith(await ring, await digest, accessToken, mode, clock())
  }

  function verifyWith(
    ring: KeyRing,
    digest: string | null,
    accessToken: string,
    mode: Blacklisting,
    now: EpochMilliseconds,
  ): Awaitable<VerifyOutcome<Payload>> {
    const known = digest === null ? undefined : lookUp(digest, ring)
    return known === undefined ? verifyUnknown(accessToken, digest, ring, mode) : judge(known, mode, now)
  }

  function lookUp(digest: string, ring: KeyRing): Verified<Payload> | undefined {
    if (ring.epoch !== cachedEpoch) {
      cache.clear()
      cachedEpoch = ring.epoch
    }
    return cache.get(digest)
  }

  function read(accessToken: string, ring: KeyRing): Awaitable<AccessTokenReading> {
    const maxLifetime = policy.accessTokenLifetime
    return readAccessToken(accessToken, ring, {
      now: clock(), maxLifetime, clockTolerance: CLOCK_TOLERANCE, issuer, audience,
    })
  }

  function verifyUnknown(
    accessToken: string,
    digest: string | null,
    ring: KeyRing,
    mode: Blacklisting,
  ): Awaitable<VerifyOutcome<Payload>> {
    return andThen(read(accessToken, ring), reading => (
      reading.kind === 'unknown-key'
        ? readWithNewKeys(accessToken).then(later => admit(later, digest, ring, mode))
        : admit(reading, digest, ring, mode)
    ))
  }

  async function readWithNewKeys(accessToken: string): Promise<AccessTokenReading> {
    return read(accessToken, await keys.reloadForUnknownKid())
  }

  function admit(
    reading: AccessTokenReading,
    digest: string | null,
    ring: KeyRing,
    mode: Blacklisting,
  ): Awaitable<VerifyOutcome<Payload>> {
    if (reading.kind === 'foreign') return foreign
    if (reading.kind !== 'valid') return { kind: 'refresh-required', reason: reading.kind }
    const { claims } = reading
    const verified: Verified<Payload> = {
      active: { kind: 'active', claims, payload: internals.payloads.accept(reading.payload), reissued: null },
      expiresAt: endOfToken(claims, policy.accessTokenLifetime),
    }
    // The ring may have been read anew while this waited.
    if (digest !== null && ring.epoch === cachedEpoch) cache.set(digest, verified)
    return judge(verified, mode, clock())
  }

  /** Everything about a genuine token that can change from one request to the next. */
  function judge(
    { active, expiresAt }: Verified<Payload>,
    mode: Blacklisting,
    now: EpochMilliseconds,
  ): Awaitable<VerifyOutcome<Payload>> {
    if (expiresAt <= now) return expired
    confirmations.observe(active.claims, now)
    if (mode === 'off') return active
    if (mode === 'strict') return askStore(active, now, mode)
    return followFeed(active, now)
  }

  function followFeed(active: ActiveOutcome<Payload>, now: EpochMilliseconds): Awaitable<VerifyOutcome<Payload>> {
    const { sid, pv } = active.claims
    if (feed.isRevoked(sid)) return { kind: 'revoked', handle: sid }
    // A feed that is out of date, or knows of a newer payload, is not the last word.
    if (!feed.isFresh(now) || feed.payloadVersion(sid) > pv) return askStore(active, now, 'feed')
    return active
  }

  async function askStore(
    active: ActiveOutcome<Payload>,
    now: EpochMilliseconds,
    mode: 'feed' | 'strict',
  ): Promise<VerifyOutcome<Payload>> {
    const { claims } = active
    let record: SessionRecord | null
    try {
      record = await internals.store.find(claims.sid)
    } catch (cause) {
      if (mode === 'strict' || policy.onStoreFailure === 'failClosed') {
        throw new GeneralError('STORE_UNAVAILABLE', 'the session store could not be asked', { cause })
      }
      internals.emit('onUncheckedRevocation', { handle: claims.sid })
      return active
    }
    if (record === null || !isAlive(record, livenessAt(now, policy))) return { kind: 'revoked', handle: claims.sid }
    if (record.payloadVersion <= claims.pv) return active
    const reissued = await reissueAccessToken(
      internals, await keys.current(), claims, { json: record.jwtPayload, version: record.payloadVersion }, now,
    )
    return { kind: 'active', claims: reissued.claims, payload: reissued.payload, reissued }
  }

  return verify
}
