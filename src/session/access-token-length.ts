import { InvalidDataError } from '../base/errors.ts'
import { createHandle } from '../base/handle.ts'
import { LAST_SECOND } from '../base/time.ts'
import { membersOf } from '../tokens/access-claims.ts'
import { MAX_WRITTEN_LENGTH } from '../tokens/access-token.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import { ACCESS_TOKEN_TYPE } from '../tokens/key-store.ts'
import type { TokenIdentity } from './issue.ts'
import type { SessionRecord } from './record.ts'
import { MAX_USER_ID_LENGTH } from './identifiers.ts'

/** What all access tokens of a session say of it. */
export type Subject = Pick<SessionRecord, 'userId' | 'tenantId'>

/** Every handle is as long as any other. */
const longestHandle = createHandle('cookie', length => new Uint8Array(length))

/** The claims that differ from one token of a session to the next, at their longest. */
const longestClaims: Required<Omit<AccessClaims, 'iss' | 'aud' | 'sub' | 'sid' | 'tid'>> = {
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

/** JSON has no longer user id and tenant: it writes a control character in six. */
const longestSubject: Subject = { userId: '\u0001'.repeat(MAX_USER_ID_LENGTH), tenantId: 'x'.repeat(64) }

/**
 * The length that no access token of a session exceeds while it has this payload, JSON text: with a signature of any
 * algorithm, the longest counters and any issuer of up to 128 bytes. The audience counts as it is: with another one no
 * session goes on. Pure.
 */
export function longestAccessToken(identity: TokenIdentity, { userId, tenantId }: Subject, payload: string): number {
  const claims = JSON.stringify(membersOf({
    iss: identity.issuer.padEnd(ISSUER_RESERVE),
    ...identity.audience === null ? {} : { aud: identity.audience },
    sub: userId,
    sid: longestHandle,
    tid: tenantId,
    ...longestClaims,
  }))
  return base64urlLength(bytesOf(header)) + 1 + base64urlLength(bytesOf(claims) + bytesOf(payload)) + 1
    + LONGEST_SIGNATURE
}

/**
 * Refuses a payload, JSON text, with which an access token of the session could become too long for a cookie: it must
 * not be stored, or every later request and refresh would fail (S-12).
 * @throws InvalidDataError that names the sizes.
 */
export function requireWritable(identity: TokenIdentity, subject: Subject, payload: string): void {
  const length = longestAccessToken(identity, subject, payload)
  if (length <= MAX_WRITTEN_LENGTH) return
  throw new InvalidDataError(
    `the access token could become ${length} characters long, and ${MAX_WRITTEN_LENGTH} fit into a cookie: the JWT `
      + `payload has ${bytesOf(payload)} bytes, the user id ${bytesOf(JSON.stringify(subject.userId)) - 2}, the tenant `
      + `id ${subject.tenantId.length}, the issuer ${bytesOf(identity.issuer)} and the audience `
      + `${bytesOf(identity.audience ?? '')}. Keep less in the JWT payload, and what only the server needs in the `
      + 'session info',
  )
}

/** Whether a payload, JSON text, is short enough for the sessions of any user and tenant. Pure. */
export function isAlwaysWritable(identity: TokenIdentity, payload: string): boolean {
  return longestAccessToken(identity, longestSubject, payload) <= MAX_WRITTEN_LENGTH
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length
}

function base64urlLength(bytes: number): number {
  return Math.ceil(bytes * 4 / 3)
}
