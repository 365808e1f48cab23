import { InvalidDataError } from '../base/errors.ts'
import { createHandle } from '../base/handle.ts'
import { LAST_SECOND } from '../base/time.ts'
import { DEFAULT_APPLICATION, membersOf } from './access-claims.ts'
import { MAX_WRITTEN_LENGTH, PAYLOAD_LIMITS } from './access-token.ts'
import type { AccessClaims, TokenIdentity } from './access-token.ts'
import { ACCESS_TOKEN_TYPE } from './key-store.ts'
import type { Subject } from './token-format.ts'

/** Every handle is as long as any other. */
const longestHandle = createHandle('cookie', length => new Uint8Array(length))

/** The claims that differ from one token of a session to the next, at their longest. */
const longestClaims: Required<Omit<AccessClaims, 'iss' | 'aud' | 'app' | 'sub' | 'sid' | 'tid'>> = {
  iat: LAST_SECOND,
  exp: LAST_SECOND,
  auth_time: LAST_SECOND,
  jti: 'x'.repeat(16),
  gen: Number.MAX_SAFE_INTEGER,
  brn: Number.MAX_SAFE_INTEGER,
  ri: Number.MAX_SAFE_INTEGER,
  pv: Number.MAX_SAFE_INTEGER,
  tmp: true,
}

const header = JSON.stringify({ alg: 'RS256', typ: ACCESS_TOKEN_TYPE, kid: 'x'.repeat(16) })
/** Of `RS256`, with the keys of 2,048 bits that Keyturn generates. Those of the other algorithms have 86 or 43. */
const LONGEST_SIGNATURE = 342

/** As how many bytes the issuer counts at least, so that a longer one than today's can be configured later. */
const ISSUER_RESERVE = 128

/**
 * The length that no access token of a session exceeds while it has this payload, JSON text: with a signature of any
 * algorithm, the longest counters and any issuer of up to 128 bytes. Audience and application count as they are: with
 * other ones no session goes on. Pure.
 */
export function longestAccessToken(identity: TokenIdentity, { userId, tenantId }: Subject, payload: string): number {
  const claims = JSON.stringify(membersOf({
    iss: identity.issuer.padEnd(ISSUER_RESERVE),
    ...identity.audience === null ? {} : { aud: identity.audience },
    ...identity.application === DEFAULT_APPLICATION ? {} : { app: identity.application },
    sub: userId,
    sid: longestHandle,
    tid: tenantId,
    ...longestClaims,
  }))
  return base64urlLength(bytesOf(header)) + 1 + base64urlLength(bytesOf(claims) + bytesOf(payload)) + 1
    + LONGEST_SIGNATURE
}

/**
 * Why a payload, JSON text, must not be stored with which an access token of the session could become too long for a
 * cookie: every later request and refresh would fail (S-12). Null if it may. Pure.
 */
export function lengthRefusal(identity: TokenIdentity, subject: Subject, payload: string): InvalidDataError | null {
  const length = longestAccessToken(identity, subject, payload)
  if (length <= MAX_WRITTEN_LENGTH) return null
  return new InvalidDataError(
    `the access token could become ${length} characters long, and ${MAX_WRITTEN_LENGTH} fit into a cookie: the JWT `
      + `payload has ${bytesOf(payload)} bytes, the user id ${bytesOf(JSON.stringify(subject.userId)) - 2}, the tenant `
      + `id ${subject.tenantId.length}, the issuer ${bytesOf(identity.issuer)} and the audience `
      + `${bytesOf(identity.audience ?? '')}. Keep less in the JWT payload, and what only the server needs in the `
      + `session info. ${PAYLOAD_LIMITS}`,
  )
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length
}

function base64urlLength(bytes: number): number {
  return Math.ceil(bytes * 4 / 3)
}
