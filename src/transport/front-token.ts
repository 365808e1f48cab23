import type { IssuedAccessToken } from '../session/core.ts'
import { membersOf } from '../tokens/access-claims.ts'

/** The value of `front-token` that tells a client that its session has ended. */
export const REMOVE_FRONT_TOKEN: string = 'remove'

/**
 * The front token, for scripts of a page: user, expiry in milliseconds and all claims, as compact JSON in UTF-8 and
 * standard base64. It contains no secrets (CMP-09).
 */
export function encodeFrontToken({ claims, payload }: IssuedAccessToken<object>): string {
  const json = JSON.stringify({ uid: claims.sub, ate: claims.exp * 1000, up: { ...payload, ...membersOf(claims) } })
  return btoa(beyondAscii.test(json) ? String.fromCharCode(...new TextEncoder().encode(json)) : json)
}

const beyondAscii = /[^\0-\x7f]/
