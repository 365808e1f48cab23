import { readAccessToken } from '../tokens/access-token.ts'
import { parseRefreshToken } from '../tokens/refresh-token.ts'
import type { TokenOwner } from '../tokens/token-owner.ts'
import type { IdentifiedAccessToken } from './core.ts'
import type { Internals } from './internals.ts'
import { CLOCK_TOLERANCE } from './policy.ts'

/** Whose session an access token is, if its signature and claims hold. */
export async function identifyAccessToken(
  { keys, clock, policy, identity }: Internals<object, object>,
  text: string,
): Promise<IdentifiedAccessToken | null> {
  const reading = await readAccessToken(text, await keys.current(), {
    now: clock(), maxLifetime: policy.accessTokenLifetime, clockTolerance: CLOCK_TOLERANCE, ...identity,
  })
  if (reading.kind !== 'valid' && reading.kind !== 'expired') return null
  return { handle: reading.claims.sid, usable: reading.kind === 'valid' }
}

/** Whose a refresh token is, by its tag. */
export async function ownerOfRefreshToken(
  { keys }: Pick<Internals<object, object>, 'keys'>,
  text: string,
): Promise<TokenOwner> {
  const token = parseRefreshToken(text)
  if (token === null) return 'unreadable'
  const key = (await keys.current()).refreshKey(token.kid)
  return key !== null && await key.isGenuine(token) === true ? 'ours' : 'other'
}
