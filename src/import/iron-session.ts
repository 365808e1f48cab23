import { createDecipheriv, pbkdf2Sync } from 'node:crypto'
import { isJsonObject, parseJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'
import { callback, checkOptions, number, required, rule, secret, text } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import type { Clock, EpochMilliseconds } from '../base/time.ts'
import type { SessionImporter } from '../session/importer.ts'
import { commonLogin, liveSession } from './login.ts'
import type { FindLogin } from './login.ts'
import { areEqual, hmac, hexDigest } from './mac.ts'

/** The options of `fromIronSession`. */
export interface IronSessionsOptions {
  /** The `password` of iron-session: a string, or an object from ids to passwords; all that it still accepts. */
  readonly password: string | Readonly<Record<string, string>>
  /** The `cookieName` of iron-session. */
  readonly cookieName: string
  /** The `ttl` of iron-session, in seconds, from 0 to 2,147,483,647; 0: cookies do not expire. Default: 14 days. */
  readonly ttl?: number
  /** The option `cookieOptions.path`. Default: `/`. */
  readonly path?: string
  /** The option `cookieOptions.domain`. Default: none. */
  readonly domain?: string
  /** Finds the user of a session; null: nobody is logged in. Default: as for express-session. */
  readonly login?: FindLogin
  /** The clock, for tests. Default: the system clock. */
  readonly clock?: Clock
}

/** The rules of the options of `fromIronSession`. */
export const ironSessionRules: RulesFor<IronSessionsOptions> = {
  password: required(secret(rule('a string, or an object from ids to strings', (value): value is string => (
    typeof value === 'string' || (typeof value === 'object' && value !== null
      && Object.values(value).every(each => typeof each === 'string'))
  )))),
  cookieName: required(text('the name of a cookie')),
  ttl: number(null, 0, 2_147_483_647),
  path: text('a path', /^\//),
  domain: text('a host'),
  login: callback<FindLogin>(),
  clock: callback<Clock>(),
}

/** A decrypted cookie. */
interface Seal {
  readonly data: JsonObject
  /** A hash of what the MAC covers. The rest of a cookie can be written in several ways, each of them valid. */
  readonly digest: string
  /** Null: it does not expire. */
  readonly expiresAt: EpochMilliseconds | null
}

/** How much later iron-session accepts a cookie. */
const SKEW = 60_000

/**
 * Imports the encrypted cookies of iron-session. They prove nothing but the password: one that was copied before a
 * logout is good until it expires, and for ever with `ttl: 0`. So end the import early.
 */
export function fromIronSession(options: IronSessionsOptions): SessionImporter<Seal> {
  checkOptions('fromIronSession', ironSessionRules, options)
  const { cookieName: name, path = '/', domain, login = commonLogin, clock = Date.now, ttl = 14 * 86_400 } = options
  const passwords = typeof options.password === 'string' ? { 1: options.password } : options.password
  return {
    source: 'iron-session',
    at: 'request',
    read(request) {
      for (const value of request.cookies(name)) {
        const found = openSeal(value, passwords)
        if (found !== null) return { key: found.digest, mode: 'cookie', state: found }
      }
      return null
    },
    async judge({ state: { data, expiresAt } }) {
      if (expiresAt !== null && expiresAt <= clock() - SKEW) return { kind: 'dead', reason: 'expired' }
      const found = await login(data)
      if (found === null) return { kind: 'anonymous' }
      // The expiry moves with each save, so it says when this cookie was made, and not when the user logged in.
      const issuedAt = expiresAt === null || ttl === 0 ? null : expiresAt - ttl * 1000
      return liveSession(found, { persistent: true, issuedAt })
    },
    clearings: () => [{ name, path }, ...domain === undefined ? [] : [{ name, path, domain }]],
  }
}

/** Opens `Fe26.2*id*salt*iv*text*expiry*salt*mac~2`; null if no password opens it. */
function openSeal(value: string, passwords: Readonly<Record<string, string>>): Seal | null {
  const [fields = '', version] = value.split('~')
  const parts = fields.split('*')
  const [prefix, id = '', salt = '', iv = '', ciphertext = '', expiry = '', macSalt = '', mac = ''] = parts
  const password = Object.hasOwn(passwords, id === '' ? '1' : id) ? passwords[id === '' ? '1' : id] : undefined
  if (parts.length !== 8 || prefix !== 'Fe26.2' || password === undefined || !/^\d*$/.test(expiry)) return null
  const authenticated = parts.slice(0, 6).join('*')
  const expected = hmac(keyOf(password, macSalt), authenticated)
  if (!areEqual(expected, Buffer.from(mac, 'base64url'))) return null
  try {
    const decipher = createDecipheriv('aes-256-cbc', keyOf(password, salt), Buffer.from(iv, 'base64url'))
    const plain = Buffer.concat([decipher.update(Buffer.from(ciphertext, 'base64url')), decipher.final()])
    const content = parseJsonObject(plain.toString('utf8'))
    // Older versions keep the data in a member of its own.
    const old = content?.['persistent']
    const data = version === '2' ? content : isJsonObject(old) ? old : null
    if (data === null) return null
    return { data, digest: hexDigest(authenticated), expiresAt: expiry === '' ? null : Number(expiry) }
  } catch {
    return null
  }
}

function keyOf(password: string, salt: string): Buffer {
  return pbkdf2Sync(password, salt, 1, 32, 'sha1')
}
