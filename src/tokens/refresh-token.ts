import type { Awaitable } from '../base/awaitable.ts'
import { decodeBase64url, isBase64url } from '../base/base64url.ts'
import { constantTimeEqual } from '../base/constant-time.ts'
import { parseHandle } from '../base/handle.ts'
import type { SessionHandle } from '../base/handle.ts'
import type { EpochMilliseconds } from '../base/time.ts'
import type { Crypto, Mac } from './crypto.ts'

/**
 * The parts of a refresh token, `kt1.<kid>.<handle>.<generation>.<branch>.<anchor>.<secret>.<tag>`. Only its format was
 * checked; {@link RefreshKey.hasValidTag} checks whether this application issued it.
 */
export interface RefreshToken {
  /** The id of the refresh key that issued it. */
  readonly kid: string
  readonly handle: SessionHandle
  readonly generation: number
  readonly branch: number
  /** 32 bytes, base64url: a secret that all refresh tokens since the last authentication have in common. */
  readonly anchor: string
  /** 32 bytes, base64url. */
  readonly secret: string
  /** HMAC-SHA-256 of {@link RefreshToken.signed} and the application's identity, base64url. */
  readonly tag: string
  /** Everything before the tag. */
  readonly signed: string
}

/** What a refresh token is created from. */
export type RefreshTokenParts = Pick<RefreshToken, 'handle' | 'generation' | 'branch' | 'anchor' | 'secret'>

/**
 * The application whose refresh tokens a process accepts. They are bound to its name and its audience, but not to its
 * origin or issuer: these may change, and sessions are kept.
 */
export interface ApplicationIdentity {
  readonly name: string
  readonly audience: string | null
}

/**
 * A loaded refresh key. It authenticates refresh tokens, derives the secrets of child tokens and authenticates
 * anti-CSRF tokens, each with a separate subkey (TOK-07).
 */
export interface RefreshKey {
  readonly purpose: 'refresh'
  readonly kid: string
  readonly activeFrom: EpochMilliseconds
  /** Whether this key issued the token. Takes constant time for every wrong tag (TOK-19). */
  hasValidTag(token: RefreshToken): Awaitable<boolean>
  /**
   * Derives the secret of a child token from that of its parent and its place in the lineage. Use the key that the
   * parent names: every process then answers a retry with the same bytes.
   */
  childSecret(handle: SessionHandle, generation: number, branch: number, parentSecret: string): Awaitable<string>
  /**
   * Derives the anchor or the secret of the first refresh token of a session that is taken over from another system.
   * `subject` names the session there. Every process derives the same one.
   */
  importedSecret(part: 'anchor' | 'secret', handle: SessionHandle, subject: string): Awaitable<string>
  /** Creates a refresh token that names this key. */
  write(parts: RefreshTokenParts): Awaitable<string>
  /** Authenticates anti-CSRF tokens (CSRF-06). */
  readonly antiCsrfMac: Mac
}

/** The version of the format. */
const VERSION = 'kt1.'
const KID_LENGTH = 16
const HANDLE_LENGTH = 23
const SECRET_LENGTH = 43
const MAX_LENGTH = 300
const MAX_COUNT = 2 ** 31 - 1

/** Parses a refresh token in bounded time; `null` for any other string (DOS-01, DOS-02). */
export function parseRefreshToken(text: string): RefreshToken | null {
  if (text.length > MAX_LENGTH || !text.startsWith(VERSION)) return null
  // The fields of fixed length are found by their position.
  const kidEnd = VERSION.length + KID_LENGTH
  const handleEnd = kidEnd + 1 + HANDLE_LENGTH
  const generationEnd = text.indexOf('.', handleEnd + 1)
  const branchEnd = text.indexOf('.', generationEnd + 1)
  const anchorEnd = branchEnd + 1 + SECRET_LENGTH
  const secretEnd = anchorEnd + 1 + SECRET_LENGTH
  if (text.length !== secretEnd + 1 + SECRET_LENGTH) return null
  // Without a dot after one of the numbers, its end is -1. Then `anchorEnd` is 47, after which there is no dot, or 43,
  // where the handle has none.
  if (text[kidEnd] !== '.' || text[handleEnd] !== '.' || text[anchorEnd] !== '.' || text[secretEnd] !== '.') return null
  const kid = text.slice(VERSION.length, kidEnd)
  const handle = parseHandle(text.slice(kidEnd + 1, handleEnd))
  const generation = parseCount(text.slice(handleEnd + 1, generationEnd))
  const branch = parseCount(text.slice(generationEnd + 1, branchEnd))
  const anchor = text.slice(branchEnd + 1, anchorEnd)
  const secret = text.slice(anchorEnd + 1, secretEnd)
  const tag = text.slice(secretEnd + 1)
  if (handle === null || generation === null || branch === null) return null
  if (!isBase64url(kid) || !isBase64url(anchor) || !isBase64url(secret) || !isBase64url(tag)) return null
  return { kid, handle, generation, branch, anchor, secret, tag, signed: text.slice(0, secretEnd) }
}

/** Loads a refresh key of 32 random bytes. @throws GeneralError (`MISUSE`) if it is shorter or all zero (TOK-22). */
export async function createRefreshKey(
  crypto: Crypto,
  key: { readonly kid: string; readonly activeFrom: EpochMilliseconds; readonly bytes: Uint8Array },
  application: ApplicationIdentity,
): Promise<RefreshKey> {
  const { kid, activeFrom } = key
  // A space separates the token from the identity. No token contains one, so the MAC input is unambiguous.
  const binding = ` ${JSON.stringify([application.name, application.audience])}`
  const root = await crypto.mac(key.bytes)
  const subkey = async (purpose: string): Promise<Mac> => {
    const bytes = decodeBase64url(await root(`keyturn ${purpose} 1`))
    if (bytes === null) throw new TypeError('the MAC function of this platform must return base64url')
    return crypto.mac(bytes)
  }
  const tagMac = await subkey('refresh token tag')
  const childMac = await subkey('refresh token child')
  const importMac = await subkey('imported session')
  return {
    purpose: 'refresh',
    kid,
    activeFrom,
    antiCsrfMac: await subkey('anti-csrf'),
    hasValidTag(token) {
      if (token.kid !== kid) return false
      const expected = tagMac(token.signed + binding)
      return typeof expected === 'string'
        ? constantTimeEqual(expected, token.tag)
        : expected.then(tag => constantTimeEqual(tag, token.tag))
    },
    // No field contains a dot, so the MAC input is unambiguous.
    childSecret: (handle, generation, branch, parentSecret) => (
      childMac(`${handle}.${generation}.${branch}.${parentSecret}`)
    ),
    // Only the subject may contain a dot.
    importedSecret: (part, handle, subject) => importMac(`${part}.${handle}.${subject}`),
    write({ handle, generation, branch, anchor, secret }) {
      const signed = `${VERSION}${kid}.${handle}.${generation}.${branch}.${anchor}.${secret}`
      const tag = tagMac(signed + binding)
      return typeof tag === 'string' ? `${signed}.${tag}` : tag.then(later => `${signed}.${later}`)
    },
  }
}

/** The hash of a refresh token's secret that the store keeps: SHA-256 with a label, base64url (ST-01). */
export function hashSecret(crypto: Pick<Crypto, 'sha256'>, secret: string): Awaitable<string> {
  return crypto.sha256(`keyturn refresh token secret 1.${secret}`)
}

/** The hash of a session's anchor that the store keeps: SHA-256 with a label, base64url. */
export function hashAnchor(crypto: Pick<Crypto, 'sha256'>, anchor: string): Awaitable<string> {
  return crypto.sha256(`keyturn refresh token anchor 1.${anchor}`)
}

/** Parses a canonical decimal integer from 0 to 2^31 - 1; `null` for any other string. */
function parseCount(text: string): number | null {
  const count = Number(text)
  return Number.isInteger(count) && count >= 0 && count <= MAX_COUNT && String(count) === text ? count : null
}
