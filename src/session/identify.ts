import type { KeyRing } from '../tokens/key-ring.ts'
import { parseRefreshToken } from '../tokens/refresh-token.ts'
import type { TokenClaims, TokenReading, TokenStyle } from '../tokens/token-format.ts'
import type { TokenOwner } from '../tokens/token-owner.ts'
import type { IdentifiedAccessToken } from './core.ts'
import type { CoreParts, Engine } from './engine.ts'

/** Identifies an access token, if its signature and claims are valid; it may have expired. */
export async function identifyAccessToken<Style extends TokenStyle, Claims extends TokenClaims>(
  { keys, clock, policy, format }: Pick<CoreParts<object, object, Style, Claims>, keyof Engine | 'format'>,
  text: string,
): Promise<IdentifiedAccessToken<Claims> | null> {
  const read = async (ring: KeyRing): Promise<TokenReading<Claims>> => (
    format.read(text, ring, clock(), policy.accessTokenLifetime, null)
  )
  let reading = await read(await keys.current())
  // Another process may have just added its key.
  if (reading.kind === 'unknown-key') reading = await read(await keys.reloadForUnknownKid())
  if (reading.kind !== 'valid' && reading.kind !== 'expired') return null
  return { claims: reading.claims, usable: reading.kind === 'valid' }
}

/** Checks by its tag which application issued a refresh token. */
export async function ownerOfRefreshToken({ keys }: Pick<Engine, 'keys'>, text: string): Promise<TokenOwner> {
  const token = parseRefreshToken(text)
  if (token === null) return 'unreadable'
  const key = (await keys.current()).refreshKey(token.kid)
  return key !== null && await key.hasValidTag(token) === true ? 'ours' : 'other'
}
