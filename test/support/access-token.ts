import { createHandle } from '../../src/base/handle.ts'
import type { JsonObject } from '../../src/base/json.ts'
import { nodeCrypto } from '../../src/platform/node-crypto.ts'
import { membersOf } from '../../src/tokens/access-claims.ts'
import { readAccessToken, readStoredPayload, writeAccessToken } from '../../src/tokens/access-token.ts'
import type { AccessClaims, AccessTokenExpectations, AccessTokenReading } from '../../src/tokens/access-token.ts'
import type { Awaitable } from '../../src/base/awaitable.ts'
import type { KeyRing, SigningKey } from '../../src/tokens/key-ring.ts'

/** The current time of the sample tokens, a whole second. */
export const sampleInstant = 1_800_000_000_000

/** The expectations that sample tokens meet. */
export const sampleExpectations: AccessTokenExpectations = {
  now: sampleInstant,
  issuer: 'https://app.example.com',
  audience: null,
  application: 'default',
  maxLifetime: 3_600_000,
}

/** The claims of a token that is valid at {@link sampleInstant}, with the claims that the test overrides. */
export function sampleClaims(overrides: Partial<AccessClaims> = {}): AccessClaims {
  return {
    iss: 'https://app.example.com',
    sub: 'user-1',
    sid: createHandle('cookie', nodeCrypto.randomBytes),
    tid: 'public',
    iat: sampleInstant / 1000 - 60,
    exp: sampleInstant / 1000 + 600,
    auth_time: sampleInstant / 1000 - 7200,
    jti: 'token-1',
    gen: 3,
    brn: 0,
    ri: 30_000,
    pv: 2,
    ...overrides,
  }
}

/** The members of such a token as they are signed. */
export function sampleMembers(overrides: Partial<AccessClaims> = {}): object {
  return membersOf(sampleClaims(overrides))
}

/** Writes a token with a payload as the store keeps it, as JSON text. */
export function writeSample(key: SigningKey, claims: AccessClaims, json: string): Awaitable<string> {
  return writeAccessToken(key, claims, readStoredPayload(json))
}

/** Reads a token as the sample application does. */
export async function readSample(
  text: string,
  ring: KeyRing,
  overrides: Partial<AccessTokenExpectations> = {},
): Promise<AccessTokenReading> {
  return readAccessToken(text, ring, { ...sampleExpectations, ...overrides })
}

/** A segment of a token. */
export function segment(content: JsonObject | string | Uint8Array): string {
  if (content instanceof Uint8Array) return Buffer.from(content).toString('base64url')
  return Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)).toString('base64url')
}
