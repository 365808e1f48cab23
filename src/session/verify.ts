import type { Awaitable } from '../base/awaitable.ts'
import { GeneralError } from '../base/errors.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import { TwoGenerationMap } from '../base/two-generation-map.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import { endOfToken } from '../tokens/access-claims.ts'
import type { TokenClaims, TokenReading, TokenStyle } from '../tokens/token-format.ts'
import type { ActiveOutcome, Blacklisting, SessionCore, VerifyOptions, VerifyOutcome } from './core.ts'
import type { CoreParts } from './engine.ts'
import { renewAccessToken } from './issue.ts'
import { isActive, activeBounds } from './policy.ts'
import type { SessionRecord } from './record.ts'

/** A token whose signature and static claims held. What can change is judged anew at every use. */
interface Verified<Payload extends object, Claims extends TokenClaims> {
  readonly active: ActiveOutcome<Payload, Claims>
  /** When the token, or the configured lifetime, ends. */
  readonly expiresAt: EpochMilliseconds
}

const unrecognized = { kind: 'unrecognized' } as const
const expired = { kind: 'refresh-required', reason: 'expired' } as const

/** The verification of tokens of one format. */
export type Verification<Payload extends object, Claims extends TokenClaims> = (
  Pick<SessionCore<Payload, object, TokenStyle, Claims>, 'verify' | 'verifyNow'>
)

/**
 * Makes the verification of tokens of one format. A token seen before costs a digest and a look-up; expiry, key set
 * and revocation are looked at on every use (TOK-17).
 */
export function createVerification<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: CoreParts<Payload, Info, Style, Claims>,
): Verification<Payload, Claims> {
  const { crypto, clock, policy, keys, feed, confirmations, format } = parts
  // Keyed by a digest of the whole token, so that no bearer token lies in memory and no malleable part counts.
  const cache = new TwoGenerationMap<Verified<Payload, Claims>>(policy.tokenCacheSize)
  let cachedEpoch = -1

  /** One synchronous attempt: no promise is made where nothing has to be waited for. */
  function verifyNow(accessToken: string, options?: VerifyOptions): VerifyOutcome<Payload, Claims> | undefined {
    if (accessToken.length > format.maxLength) return unrecognized
    const mode = options?.blacklisting ?? policy.blacklisting
    const now = clock()
    // What only the store can say is not begun here, to be done twice.
    if (crypto.isSynchronous !== true || mode === 'strict' || (mode === 'feed' && !feed.isFresh(now))) return undefined
    const ring = keys.atHand(now)
    if (ring === null) return undefined
    const digest = policy.tokenCacheSize === 0 ? null : crypto.digest(accessToken)
    if (digest !== null && typeof digest !== 'string') return undefined
    const known = lookUp(digest, ring)
    if (known !== undefined) return judge(known, mode, now)
    const reading = read(accessToken, ring)
    if ('then' in reading || reading.kind === 'unknown-key') return undefined
    return reading.kind === 'valid' ? judge(accept(reading, digest, ring), mode, clock()) : refusal(reading)
  }

  async function verify(accessToken: string, options?: VerifyOptions): Promise<VerifyOutcome<Payload, Claims>> {
    if (accessToken.length > format.maxLength) return unrecognized
    const mode = options?.blacklisting ?? policy.blacklisting
    // The log tells of removed keys as well: nothing is judged before it was read.
    if (mode !== 'off') await feed.start()
    const ring = await keys.current()
    const digest = policy.tokenCacheSize === 0 ? null : await crypto.digest(accessToken)
    let verified = lookUp(digest, ring)
    if (verified === undefined) {
      let reading = await read(accessToken, ring)
      if (reading.kind === 'unknown-key') reading = await read(accessToken, await keys.reloadForUnknownKid())
      if (reading.kind !== 'valid') return refusal(reading)
      verified = accept(reading, digest, ring)
    }
    const now = clock()
    return judge(verified, mode, now) ?? askStore(verified.active, now, mode)
  }

  function lookUp(digest: string | null, ring: KeyRing): Verified<Payload, Claims> | undefined {
    if (digest === null) return undefined
    if (ring.epoch !== cachedEpoch) {
      cache.clear()
      cachedEpoch = ring.epoch
    }
    return cache.get(digest)
  }

  function read(accessToken: string, ring: KeyRing): Awaitable<TokenReading<Claims>> {
    return format.read(accessToken, ring, clock(), policy.accessTokenLifetime)
  }

  function accept(
    { claims, payload }: Extract<TokenReading<Claims>, { kind: 'valid' }>,
    digest: string | null,
    ring: KeyRing,
  ): Verified<Payload, Claims> {
    const verified: Verified<Payload, Claims> = {
      active: { kind: 'active', claims, payload: parts.payloads.accept(payload), reissued: null },
      expiresAt: endOfToken(claims, policy.accessTokenLifetime),
    }
    // The ring may have been read anew while this waited.
    if (digest !== null && ring.epoch === cachedEpoch) cache.set(digest, verified)
    return verified
  }

  /** What can change from one request to the next, of a token that we signed. Undefined: the store is to say. */
  function judge(
    { active, expiresAt }: Verified<Payload, Claims>,
    mode: Blacklisting,
    now: EpochMilliseconds,
  ): VerifyOutcome<Payload, Claims> | undefined {
    if (expiresAt <= now) return expired
    const { claims } = active
    confirmations.observe(claims, now)
    if (mode === 'off') return active
    if (mode === 'strict') return undefined
    const { sid, pv } = claims
    if (feed.isRevoked(sid)) return { kind: 'revoked', handle: sid }
    // A feed that is out of date, or knows of a newer payload, is not the last word.
    return feed.isFresh(now) && feed.payloadVersion(sid) <= pv ? active : undefined
  }

  async function askStore(
    active: ActiveOutcome<Payload, Claims>,
    now: EpochMilliseconds,
    mode: Blacklisting,
  ): Promise<VerifyOutcome<Payload, Claims>> {
    const { claims } = active
    let record: SessionRecord | null
    try {
      record = await parts.store.find(claims.sid)
    } catch (cause) {
      if (mode === 'strict' || policy.onStoreFailure === 'failClosed') {
        throw new GeneralError('STORE_UNAVAILABLE', 'the session store could not be asked', { cause })
      }
      parts.emit('onUncheckedRevocation', { handle: claims.sid })
      return active
    }
    if (record === null || !isActive(record, activeBounds(now, policy))) return { kind: 'revoked', handle: claims.sid }
    const reissued = await renewAccessToken(parts, claims, record, now)
    if (reissued === null) return active
    return { kind: 'active', claims: reissued.claims, payload: reissued.payload, reissued }
  }

  return { verify, verifyNow }
}

/** What becomes of a token that cannot be used. Pure. */
function refusal({ kind }: Exclude<TokenReading<TokenClaims>, { kind: 'valid' }>): VerifyOutcome<never, never> {
  return kind === 'unrecognized' ? unrecognized : { kind: 'refresh-required', reason: kind }
}
