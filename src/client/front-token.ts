/** What scripts may know about a session, from the `front-token` header: section 5 of the protocol. */
export interface FrontToken {
  /** The user. */
  readonly uid: string
  /** When the access token expires, in milliseconds since 1970 by the server's clock. */
  readonly ate: number
  /** The claims of the access token. */
  readonly up: { readonly [claim: string]: unknown }
}

/** The value of `front-token` that means that the session has ended. */
export const REMOVE: string = 'remove'

/** Reads a front token: the base64 of JSON in UTF-8. Returns null for anything else and never throws. Pure. */
export function readFrontToken(text: string): FrontToken | null {
  try {
    const value: unknown = JSON.parse(base64.decode(text))
    return isFrontToken(value) ? value : null
  } catch {
    return null
  }
}

/** Decodes base64 of UTF-8; `keyturn/client/native` replaces it where the platform lacks what it takes. */
export const base64 = {
  decode: (text: string): string =>
    new TextDecoder().decode(Uint8Array.from(atob(text), letter => letter.charCodeAt(0))),
}

function isFrontToken(value: unknown): value is FrontToken {
  if (!isObject(value)) return false
  const { uid, ate, up } = value
  return typeof uid === 'string' && Number.isFinite(ate) && isObject(up)
}

/** Whether the value is an object with members. */
export function isObject(value: unknown): value is { readonly [member: string]: unknown } {
  return typeof value === 'object' && value !== null
}

/**
 * The lifetime of the access token in milliseconds, measured by the server's clock, since this device's may be hours
 * off. A token without `iat` counts as issued at `received`.
 */
export function lifetimeOf({ ate, up }: FrontToken, received: number): number {
  const { iat } = up
  return ate - (typeof iat === 'number' ? iat * 1000 : received)
}
