import { createHash } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { parseJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'
import { callback, checkOptions, listOf, oneOf, required, secret, text } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import type { Clock } from '../base/time.ts'
import type { ForeignVerdict, SessionImporter } from '../session/importer.ts'
import { databaseRule } from './data/database.ts'
import type { ForeignDatabase, ForeignRow } from './data/database.ts'
import { foreignTable, textIn, timeIn } from './data/table.ts'
import { idOf, liveSession } from './login.ts'
import type { ForeignLogin } from './login.ts'
import { areTextsEqual, hmac, hexDigest } from './mac.ts'

/** The options of `fromDjango`. */
export interface DjangoSessionsOptions {
  /** Django's `SECRET_KEY`. */
  readonly secretKey: string
  /** Django's `SECRET_KEY_FALLBACKS`. Default: none. */
  readonly secretKeyFallbacks?: readonly string[]
  /** The database of Django, with the session engine `db` or `cached_db`. */
  readonly database: ForeignDatabase
  /** The table of the user model. Default: `auth_user`. Its primary key is `id`. */
  readonly userTable?: string
  /** The table of the sessions. Default: `django_session`. */
  readonly sessionTable?: string
  /** `SESSION_COOKIE_NAME`. Default: `sessionid`. */
  readonly cookieName?: string
  /** `SESSION_COOKIE_PATH`. Default: `/`. */
  readonly cookiePath?: string
  /** `SESSION_COOKIE_DOMAIN`. Default: none. */
  readonly cookieDomain?: string
  /** The salt of the session class. Default: `django.contrib.sessions.SessionStore`. */
  readonly salt?: string
  /**
   * The column `expire_date` without a zone is in UTC, as with `USE_TZ`. Default: `instant` on PostgreSQL, else `utc`.
   */
  readonly expireDate?: 'instant' | 'utc'
  /** Adds tenant and data to a session, from its members and the row of its user. Default: none. */
  readonly login?: (session: JsonObject, user: ForeignRow) => Omit<ForeignLogin, 'userId'>
  /** The clock, for tests. Default: the system clock. */
  readonly clock?: Clock
}

/** The rules of the options of `fromDjango`. */
export const djangoRules: RulesFor<DjangoSessionsOptions> = {
  secretKey: required(secret(text())),
  secretKeyFallbacks: secret(listOf('an array of strings', text())),
  database: required(databaseRule),
  userTable: text(),
  sessionTable: text(),
  cookieName: text(),
  cookiePath: text('a path', /^\//),
  cookieDomain: text('a host'),
  salt: text(),
  expireDate: oneOf('instant', 'utc'),
  login: callback<NonNullable<DjangoSessionsOptions['login']>>(),
  clock: callback<Clock>(),
}

/** A row of the table of sessions; the data is null if no secret has signed it. */
interface Opened {
  readonly row: ForeignRow
  readonly data: JsonObject | null
}

/** The longest session after decompression. */
const LONGEST = 1_048_576

const AUTH_HASH_SALT = 'django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash'

/**
 * Imports the sessions of Django with the JSON serializer, in its database. A session lives only if the hash of the
 * user's password in it is still right: so Django ends other sessions when a password changes.
 */
export function fromDjango(options: DjangoSessionsOptions): SessionImporter<string> {
  checkOptions('fromDjango', djangoRules, options)
  const { database, cookieName: name = 'sessionid', cookiePath: path = '/', cookieDomain: domain } = options
  const { salt = 'django.contrib.sessions.SessionStore', clock = Date.now, login = () => ({}) } = options
  const secrets = [options.secretKey, ...options.secretKeyFallbacks ?? []]
  const expire = options.expireDate ?? ('query' in database && !('execute' in database) ? 'instant' : 'utc')
  const sessions = foreignTable(database, {
    table: options.sessionTable ?? 'django_session', key: 'session_key', times: { expire_date: expire },
  })
  const users = foreignTable(database, { table: options.userTable ?? 'auth_user', key: 'id' })

  /** A row and its data, as far as its signature is right. */
  const opened = (row: ForeignRow): Opened => ({ row, data: decode(textIn(row, 'session_data') ?? '', secrets, salt) })

  function usersOf(all: readonly Opened[]): Promise<ReadonlyMap<string, ForeignRow>> {
    // An id that is no number would be refused by a column of numbers; Django never writes one there.
    return users.findAll('id', all.flatMap(({ data }) => idOf(data?.['_auth_user_id']) ?? []))
  }

  function verdictOf({ row, data }: Opened, known: ReadonlyMap<string, ForeignRow>): ForeignVerdict {
    const expiresAt = timeIn(row, 'expire_date')
    if (expiresAt === null || expiresAt <= clock()) return { kind: 'dead', reason: 'expired' }
    if (data === null) return { kind: 'dead', reason: 'unreadable' }
    const userId = idOf(data['_auth_user_id'])
    if (userId === null) return { kind: 'anonymous' }
    const user = known.get(userId)
    if (user === undefined || !isActive(user)) return { kind: 'dead', reason: 'no-user' }
    const hash = data['_auth_user_hash']
    const password = textIn(user, 'password') ?? ''
    if (typeof hash !== 'string' || !secrets.some(each => areTextsEqual(authHash(password, each), hash))) {
      return { kind: 'dead', reason: 'revoked' }
    }
    const {
      _auth_user_id: _id,
      _auth_user_hash: _hash,
      _auth_user_backend: _backend,
      _session_expiry: expiry,
      ...rest
    } = data
    return liveSession({ userId, ...login(rest, user) }, { persistent: expiry !== 0 })
  }

  return {
    source: 'django',
    at: 'request',
    read(request) {
      const key = request.cookies(name).find(value => /^[a-z0-9]{32,40}$/.test(value))
      return key === undefined ? null : { key, mode: 'cookie', state: key }
    },
    async judge({ state }) {
      const row = await sessions.find({ session_key: state })
      if (row === null) return { kind: 'dead', reason: 'missing' }
      const one = opened(row)
      return verdictOf(one, await usersOf([one]))
    },
    retire: async ({ state }) => void await sessions.remove({ session_key: state }),
    clearings: () => [{ name, path }, ...domain === undefined ? [] : [{ name, path, domain }]],
    async scan(after, limit) {
      const rows = await sessions.page(after, limit)
      const all = rows.map(opened)
      const known = await usersOf(all)
      const last = rows.at(-1)
      return {
        sessions: all.map(one => (
          { label: hexDigest(textIn(one.row, 'session_key') ?? '').slice(0, 12), verdict: verdictOf(one, known) }
        )),
        next: last === undefined || rows.length < limit ? null : textIn(last, 'session_key'),
      }
    },
    count: sessions.count,
  }
}

/**
 * Reads `session_data`: `[.]data:time:signature`; a dot means that it is compressed. Null if no secret has signed it.
 */
function decode(stored: string, secrets: readonly string[], salt: string): JsonObject | null {
  const end = stored.lastIndexOf(':')
  const [signed, signature] = [stored.slice(0, Math.max(0, end)), stored.slice(end + 1)]
  const isSigned = secrets.some(each => (
    areTextsEqual(hmac(saltedKey(`${salt}signer`, each), signed).toString('base64url'), signature)
  ))
  if (!isSigned) return null
  const value = signed.slice(0, signed.lastIndexOf(':'))
  try {
    const bytes = Buffer.from(value.replace(/^\./, ''), 'base64url')
    const plain = value.startsWith('.') ? inflateSync(bytes, { maxOutputLength: LONGEST }) : bytes
    return parseJsonObject(plain.toString('utf8'))
  } catch {
    return null
  }
}

function authHash(password: string, secretKey: string): string {
  return hmac(saltedKey(AUTH_HASH_SALT, secretKey), password).toString('hex')
}

/** The key of Django's `salted_hmac`. */
function saltedKey(salt: string, secretKey: string): Buffer {
  return createHash('sha256').update(salt + secretKey).digest()
}

/** A user model without the column has only active users. */
function isActive(user: ForeignRow): boolean {
  const value = user['is_active']
  return value === undefined || value === true || value === 1 || value === 1n || value === '1'
}
