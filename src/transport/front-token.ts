import type { IssuedAccessToken } from '../session/core.ts'
import { membersOf } from '../tokens/access-claims.ts'

/** The value of `front-token` that tells a client that its session is over. */
export const REMOVE_FRONT_TOKEN: string = 'remove'

/**
 * What page scripts may know of a session: user, expiry in milliseconds, and all claims, as standard base64 of the
 * UTF-8 of compact JSON. Nothing in it is a secret (CMP-09).
 */
export function encodeFrontToken({ claims, payload }: IssuedAccessToken<object>): string {
  const json = JSON.stringify({ uid: claims.sub, ate: claims.exp * 1000, up: { ...payload, ...membersOf(claims) } })
  return btoa(beyondAscii.test(json) ? String.fromCharCode(...new TextEncoder().encode(json)) : json)
}

const beyondAscii = /[^\0-\x7f]/
