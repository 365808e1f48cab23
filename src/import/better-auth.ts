import { isJsonObject, parseJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'
import { GeneralError } from '../base/errors.ts'
import { callback, checkOptions, oneOf, oneOrMore, required, rule, secret, text } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import { percentDecode } from '../base/percent-decode.ts'
import type { Clock, EpochMilliseconds } from '../base/time.ts'
import type { ForeignCookie, ForeignVerdict, ImportRequest, SessionImporter } from '../session/importer.ts'
import { databaseRule, queriesOf } from './data/database.ts'
import type { ForeignDatabase, ForeignRow } from './data/database.ts'
import { foreignTable, textIn, timeIn, timeOf } from './data/table.ts'
import { idOf, liveSession } from './login.ts'
import type { ForeignLogin } from './login.ts'
import { hexDigest, unsign, withPadding } from './mac.ts'

/** The secondary storage of Better Auth: the object of its option `secondaryStorage`. Its calls may return promises. */
export interface SecondaryStorage {
  get(key: string): unknown
  set(key: string, value: string, ttl?: number): unknown
  delete(key: string): unknown
}

/** The options of `fromBetterAuth`. */
export interface BetterAuthOptions {
  /** The `secret` of Better Auth. Only the first of several signs and verifies cookies: pass that one. */
  readonly secret: string | readonly string[]
  /** The database of Better Auth. Sessions are there unless it has a secondary storage. Default: none. */
  readonly database?: ForeignDatabase
  /** The secondary storage: it alone then says which sessions live. Default: none. */
  readonly secondaryStorage?: SecondaryStorage
  /** The model names of the tables. Default: `session` and `user`. */
  readonly tables?: { readonly session?: string; readonly user?: string }
  /** How the columns are called: `snake_case` in a schema that was generated for Drizzle. Default: `camelCase`. */
  readonly columns?: 'camelCase' | 'snake_case'
  /**
   * How columns without a zone hold a time: `utc`, as Prisma and Drizzle write it, or `instant`, in the zone of the
   * connection. On PostgreSQL, `utc` is right for columns with a zone as well. Default: `utc` on PostgreSQL, else
   * `instant`.
   */
  readonly dates?: 'instant' | 'utc'
  /** The option `advanced.cookiePrefix`. Default: `better-auth`. */
  readonly cookiePrefix?: string
  /** The domain of `advanced.crossSubDomainCookies`. Default: none. */
  readonly cookieDomain?: string
  /** Adds tenant and data to a session. Default: none. Session and user are rows. */
  readonly login?: (session: JsonObject, user: JsonObject) => Omit<ForeignLogin, 'userId'>
  /** The clock, for tests. Default: the system clock. */
  readonly clock?: Clock
}

/** The rules of the options of `fromBetterAuth`. */
export const betterAuthRules: RulesFor<BetterAuthOptions> = {
  secret: required(secret(oneOrMore('a string, or an array of strings', text()))),
  database: databaseRule,
  secondaryStorage: rule('the secondaryStorage of Better Auth', (value): value is SecondaryStorage => (
    typeof value === 'object' && value !== null && 'get' in value && 'set' in value && 'delete' in value
  )),
  tables: rule('an object with the names session and user', (value): value is { session?: string; user?: string } => (
    typeof value === 'object' && value !== null
  )),
  columns: oneOf('camelCase', 'snake_case'),
  dates: oneOf('instant', 'utc'),
  cookiePrefix: text(),
  cookieDomain: text('a host'),
  login: callback<NonNullable<BetterAuthOptions['login']>>(),
  clock: callback<Clock>(),
}

/** A signed token of a request. */
interface BetterAuthToken {
  readonly token: string
  readonly persistent: boolean
}

/** A session as the database or the storage has it, and its user; null: the user is gone. */
interface Found {
  readonly session: JsonObject
  readonly user: JsonObject | null
  readonly expiresAt: EpochMilliseconds | null
  readonly createdAt: EpochMilliseconds | null
}

const CHUNKS = 10

/**
 * Imports the sessions of Better Auth. The cookie cache is no proof of life and is ignored. Sessions of an
 * administrator who acts as another user are refused.
 */
export function fromBetterAuth(options: BetterAuthOptions): SessionImporter<BetterAuthToken> {
  checkOptions('fromBetterAuth', betterAuthRules, options)
  const { database, secondaryStorage: storage, cookiePrefix = 'better-auth', cookieDomain, clock = Date.now } = options
  const { login = () => ({}) } = options
  const secrets = [options.secret].flat()
  const [first = ''] = secrets
  const find = storage !== undefined ? inStorage(storage) : inDatabase(database, options)
  const nameOf = (part: string): readonly string[] => [`__Secure-${cookiePrefix}.${part}`, `${cookiePrefix}.${part}`]
  const signed = (value: string): string | null => unsign(value, [first], withPadding)

  function isPersistent(request: ImportRequest): boolean {
    return !nameOf('dont_remember').some(name => request.cookies(name).some(value => signed(value) === 'true'))
  }

  function verdictOf(found: Found | null, persistent: boolean): ForeignVerdict {
    if (found === null) return { kind: 'dead', reason: 'missing' }
    const { session, user, expiresAt, createdAt } = found
    const userId = idOf(session['userId'])
    if (expiresAt === null || expiresAt <= clock()) return { kind: 'dead', reason: 'expired' }
    if (userId === null || user === null || user['banned'] === true || user['banned'] === 1) {
      return { kind: 'dead', reason: 'no-user' }
    }
    if ((session['impersonatedBy'] ?? null) !== null) return { kind: 'dead', reason: 'impersonated' }
    return liveSession(
      { userId, ...login(session, user) }, { persistent, issuedAt: createdAt, authenticatedAt: createdAt })
  }

  return {
    source: 'better-auth',
    at: 'request',
    read(request) {
      // The bearer plugin accepts a token as it is, and as it was in the Set-Cookie header.
      const bearer = request.bearer === null ? null : signed(percentDecode(request.bearer) ?? '')
      if (bearer !== null) return { key: bearer, mode: 'header', state: { token: bearer, persistent: true } }
      for (const name of nameOf('session_token')) {
        for (const value of request.cookies(name)) {
          const token = signed(value)
          if (token !== null) return { key: token, mode: 'cookie', state: { token, persistent: isPersistent(request) } }
        }
      }
      return null
    },
    judge: async ({ state: { token, persistent } }) => verdictOf(await find.find(token), persistent),
    retire: ({ state: { token } }) => find.remove(token),
    retireUser: userId => find.removeUser(userId),
    clearings: () => {
      const names = ['session_token', 'session_data', 'account_data', 'dont_remember'].flatMap(nameOf)
      const chunked = names.flatMap(name => [name, ...Array.from({ length: CHUNKS }, (_, index) => `${name}.${index}`)])
      return chunked.flatMap((name): ForeignCookie[] => [
        { name }, ...cookieDomain === undefined ? [] : [{ name, domain: cookieDomain }],
      ])
    },
    ...find.page === null ? {} : {
      async scan(after, limit) {
        const rows = await find.page?.(after, limit) ?? []
        return {
          sessions: rows.map(found => (
            { label: hexDigest(String(found.session['token'])).slice(0, 12), verdict: verdictOf(found, true) }
          )),
          next: rows.length < limit ? null : idOf(rows.at(-1)?.session['id']),
        }
      },
      count: () => find.count(),
    },
  }
}

/** Where sessions are. */
interface Place {
  find(token: string): Promise<Found | null>
  remove(token: string): Promise<void>
  removeUser(userId: string): Promise<void>
  readonly page: ((after: string | null, limit: number) => Promise<readonly Found[]>) | null
  count(): Promise<number | null>
}

function inDatabase(
  database: ForeignDatabase | undefined,
  { tables = {}, columns = 'camelCase', dates }: Pick<BetterAuthOptions, 'tables' | 'columns' | 'dates'>,
): Place {
  const { session: sessionTable = 'session', user: userTable = 'user' } = tables
  if (database === undefined) {
    throw new GeneralError('MISUSE', 'fromBetterAuth needs the option database or secondaryStorage')
  }
  const isSnake = columns === 'snake_case'
  const named = (column: string): string => (
    isSnake ? column.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`) : column
  )
  const time = dates ?? (queriesOf(database).dialect === 'postgres' ? 'utc' : 'instant')
  const sessions = foreignTable(database, {
    table: sessionTable, key: 'id', times: { [named('expiresAt')]: time, [named('createdAt')]: time },
  })
  const users = foreignTable(database, { table: userTable, key: 'id' })
  async function foundOf(rows: readonly ForeignRow[]): Promise<readonly Found[]> {
    const known = await users.findAll('id', rows.flatMap(row => textIn(row, named('userId')) ?? []))
    return rows.map(row => {
      const user = known.get(textIn(row, named('userId')) ?? '')
      return {
        session: plain(row, isSnake),
        user: user === undefined ? null : plain(user, isSnake),
        expiresAt: timeIn(row, named('expiresAt')),
        createdAt: timeIn(row, named('createdAt')),
      }
    })
  }
  return {
    async find(token) {
      const row = await sessions.find({ token })
      return row === null ? null : (await foundOf([row]))[0] ?? null
    },
    remove: async token => void await sessions.remove({ token }),
    removeUser: async userId => void await sessions.remove({ [named('userId')]: userId }),
    page: async (after, limit) => foundOf(await sessions.page(after, limit)),
    count: sessions.count,
  }
}

function inStorage(storage: SecondaryStorage): Place {
  const listOf = (userId: string): string => `active-sessions-${userId}`
  const read = async (key: string): Promise<unknown> => {
    const value = await storage.get(key)
    if (typeof value !== 'string') return value ?? null
    try {
      return JSON.parse(value)
    } catch {
      return null
    }
  }
  async function find(token: string): Promise<Found | null> {
    const value = await read(token)
    const { session, user } = isJsonObject(value) ? value : {}
    if (!isJsonObject(session) || !isJsonObject(user)) return null
    const createdAt = timeOf(session['createdAt'])
    const revokedBefore = timeOf(await read(`revoked-sessions-before-${idOf(session['userId']) ?? ''}`))
    if (revokedBefore !== null && (createdAt === null || createdAt < revokedBefore)) return null
    return { session, user, expiresAt: timeOf(session['expiresAt']), createdAt }
  }
  async function remove(token: string): Promise<void> {
    const found = await find(token)
    await storage.delete(token)
    const userId = idOf(found?.session['userId'])
    const list = userId === null ? null : await read(listOf(userId))
    if (userId === null || !Array.isArray(list)) return
    const rest = list.filter(entry => !isJsonObject(entry) || entry['token'] !== token)
    const ends = rest.flatMap(entry => isJsonObject(entry) ? timeOf(entry['expiresAt']) ?? [] : [])
    const seconds = Math.floor((Math.max(0, ...ends) - Date.now()) / 1000)
    if (seconds > 0) await storage.set(listOf(userId), JSON.stringify(rest), seconds)
    else await storage.delete(listOf(userId))
  }
  return {
    find,
    remove,
    async removeUser(userId) {
      const list = await read(listOf(userId))
      if (!Array.isArray(list)) return
      for (const entry of list) {
        const token = isJsonObject(entry) ? entry['token'] : null
        if (typeof token === 'string') await storage.delete(token)
      }
      await storage.delete(listOf(userId))
    },
    page: null,
    count: async () => null,
  }
}

/** A row as JSON, with the names of Better Auth's own fields: dates become text. */
function plain(row: ForeignRow, isSnake: boolean): JsonObject {
  const fields = isSnake ? Object.fromEntries(Object.entries(row).map(([name, value]) => (
    [name.replaceAll(/(?<=[a-z0-9])_([a-z])/g, (_, letter: string) => letter.toUpperCase()), value]
  ))) : row
  return parseJsonObject(JSON.stringify(fields, (_, value: unknown) => typeof value === 'bigint' ? String(value) : value)) ?? {}
}
