import type { Awaitable } from '../base/awaitable.ts'
import { GeneralError } from '../base/errors.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { KeyRing } from '../tokens/key-ring.ts'
import { endOfToken } from '../tokens/access-claims.ts'
import type { TokenClaims, TokenReading, TokenStyle } from '../tokens/token-format.ts'
import type { MacSource } from '../tokens/token-mac.ts'
import type { ActiveOutcome, Blacklisting, SessionCore, VerifyOptions, VerifyOutcome } from './core.ts'
import type { CoreParts } from './engine.ts'
import { renewAccessToken } from './issue.ts'
import { isActive, activeBounds } from './policy.ts'
import type { SessionRecord } from './record.ts'
import type { Counter } from './tally.ts'
import { TokenCache } from './token-cache.ts'

/** A token with a valid signature and valid static claims. Expiry and revocation are checked at every use. */
interface Verified<Payload extends object, Claims extends TokenClaims> {
  readonly active: ActiveOutcome<Payload, Claims>
  /** The expiry of the token, or of the configured lifetime if that is earlier. */
  readonly expiresAt: EpochMilliseconds
}

const unrecognized = { kind: 'unrecognized' } as const
const expired = { kind: 'expired' } as const

/** The methods that verify tokens of one format. */
export type Verification<Payload extends object, Claims extends TokenClaims> = (
  Pick<SessionCore<Payload, object, TokenStyle, Claims>, 'verify' | 'verifyNow'>
)

/**
 * Creates the verification for one token format. A token in the cache costs a digest and a look-up. Expiry, key set and
 * revocation are checked at every use (TOK-17).
 */
export function createVerification<
  Payload extends object, Info extends object, Style extends TokenStyle, Claims extends TokenClaims,
>(
  parts: CoreParts<Payload, Info, Style, Claims>,
): Verification<Payload, Claims> {
  const { crypto, clock, policy, keys, feed, reader, confirmations, format, tally } = parts
  // The key is a digest of the whole token: the cache contains no bearer tokens, and every character counts.
  const cache = new TokenCache<Verified<Payload, Claims>>(policy.tokenCacheSize)
  let cachedEpoch = -1
  parts.caches.add(cache)
  const rejected = (reason: string): Counter => tally.counter('keyturn.verifications.rejected', { reason })
  const counters = {
    expired: rejected('expired'), revoked: rejected('revoked'), unrecognized: rejected('unrecognized'),
  }

  /** Tries to verify synchronously; undefined if that is not possible. */
  function verifyNow(
    accessToken: string,
    options?: VerifyOptions,
    macs: MacSource | null = null,
  ): VerifyOutcome<Payload, Claims> | undefined {
    if (accessToken.length > format.maxLength) return refusal({ kind: 'unrecognized' })
    const mode = options?.blacklisting ?? policy.blacklisting
    const now = clock()
    // If the store will be needed, all work is left to `verify`, so that nothing is done twice.
    if (crypto.isSynchronous !== true || mode === 'strict' || (mode === 'feed' && !feed.isFresh(now))) return undefined
    const ring = keys.cached(now)
    if (ring === null) return undefined
    const digest = policy.tokenCacheSize === 0 ? null : crypto.digest(accessToken)
    if (digest !== null && typeof digest !== 'string') return undefined
    const known = lookUp(digest, ring)
    if (known !== undefined) return judge(known, mode, now)
    const reading = read(accessToken, ring, macs)
    if ('then' in reading || reading.kind === 'unknown-key') return undefined
    return reading.kind === 'valid' ? judge(accept(reading, digest, ring), mode, clock()) : refusal(reading)
  }

  async function verify(
    accessToken: string,
    options?: VerifyOptions,
    macs: MacSource | null = null,
  ): Promise<VerifyOutcome<Payload, Claims>> {
    if (accessToken.length > format.maxLength) return refusal({ kind: 'unrecognized' })
    const mode = options?.blacklisting ?? policy.blacklisting
    if (mode !== 'off') {
      // The change log also contains removed keys, so it must be read before a token is verified. A store that is
      // silent is waited for once, so the keys are read at the same time.
      if (keys.cached(clock()) === null) keys.current().catch(() => undefined)
      await feed.catchUp()
    }
    const ring = await keys.current()
    const digest = policy.tokenCacheSize === 0 ? null : await crypto.digest(accessToken)
    let verified = lookUp(digest, ring)
    if (verified === undefined) {
      let reading = await read(accessToken, ring, macs)
      if (reading.kind === 'unknown-key') reading = await read(accessToken, await keys.reloadForUnknownKid(), macs)
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

  function read(accessToken: string, ring: KeyRing, macs: MacSource | null): Awaitable<TokenReading<Claims>> {
    return format.read(accessToken, ring, clock(), policy.accessTokenLifetime, macs)
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
    // The key ring may have changed in the meantime.
    if (digest !== null && ring.epoch === cachedEpoch) cache.set(digest, verified, clock())
    return verified
  }

  /** Checks what can change between two uses of a valid token. Undefined: the session must be read from the store. */
  function judge(
    { active, expiresAt }: Verified<Payload, Claims>,
    mode: Blacklisting,
    now: EpochMilliseconds,
  ): VerifyOutcome<Payload, Claims> | undefined {
    if (expiresAt <= now) return refusal(expired)
    const { claims } = active
    confirmations.observe(claims, now)
    if (mode === 'off') return active
    if (mode === 'strict') return undefined
    const { sid, pv } = claims
    if (feed.isRevoked(sid)) return revoked(sid)
    // If the feed is stale, or the JWT payload was updated, the session must be read from the store.
    return feed.isFresh(now) && feed.payloadVersion(sid) <= pv ? active : undefined
  }

  async function askStore(
    active: ActiveOutcome<Payload, Claims>,
    now: EpochMilliseconds,
    mode: Blacklisting,
  ): Promise<VerifyOutcome<Payload, Claims>> {
    const { claims } = active
    // What the feed knows counts: a payload that was replaced is not served.
    const isOld = (): boolean => mode === 'feed' && feed.payloadVersion(claims.sid) > claims.pv
    let record: SessionRecord | null
    try {
      record = await (mode === 'strict' || isOld() ? reader.readAnew(claims.sid) : reader.read(claims.sid))
    } catch (cause) {
      if (mode === 'strict' || isOld() || policy.onStoreFailure === 'failClosed') {
        throw new GeneralError('STORE_UNAVAILABLE', 'the session could not be read from the store', { cause })
      }
      parts.emit('onUncheckedRevocation', { handle: claims.sid })
      return active
    }
    if (record === null || !isActive(record, activeBounds(now, policy))) return revoked(claims.sid)
    const reissued = await renewAccessToken(parts, claims, record, now)
    if (reissued === null) return active
    return { kind: 'active', claims: reissued.claims, payload: reissued.payload, reissued }
  }

  /** The outcome for a token that is not valid, which is counted. */
  function refusal(
    { kind }: Pick<Exclude<TokenReading<TokenClaims>, { kind: 'valid' }>, 'kind'>,
  ): VerifyOutcome<never, never> {
    counters[kind === 'expired' ? kind : 'unrecognized'].value += 1
    return kind === 'unrecognized' ? unrecognized : { kind: 'refresh-required', reason: kind }
  }

  function revoked(handle: SessionHandle): VerifyOutcome<never, never> {
    counters.revoked.value += 1
    return { kind: 'revoked', handle }
  }

  return { verify, verifyNow }
}
