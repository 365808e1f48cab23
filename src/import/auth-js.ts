import type { JsonObject } from '../base/json.ts'
import { callback, checkOptions, oneOf, oneOrMore, required, rule, secret, text } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import type { Clock } from '../base/time.ts'
import type { ForeignCookie, ForeignVerdict, ImportRequest, SessionImporter } from '../session/importer.ts'
import { databaseRule } from './data/database.ts'
import type { ForeignDatabase, ForeignRow } from './data/database.ts'
import { foreignTable, textIn, timeIn } from './data/table.ts'
import { decryptJwe, hkdf, keyLengthOf, parseJwe, thumbprint } from './jwe.ts'
import { idOf, liveSession } from './login.ts'
import type { FindLogin, ForeignLogin } from './login.ts'
import { hexDigest } from './mac.ts'

/** The options of `fromAuthJsTokens`. */
export interface AuthJsTokensOptions {
  /** `NEXTAUTH_SECRET` or `AUTH_SECRET`: all secrets that Auth.js still accepts. */
  readonly secret: string | readonly string[]
  /** The names of the session cookie, if `cookies.sessionToken.name` is set. Default: those of both versions. */
  readonly cookieNames?: readonly string[]
  /** The option `cookies.sessionToken.options.domain`. Default: none. */
  readonly cookieDomain?: string
  /**
   * Decrypts a token, if the application replaced `jwt.decode`; a token at which it throws is of another system.
   * Default: as Auth.js does.
   */
  readonly decode?: (token: string) => Promise<JsonObject | null>
  /** Finds the user of the claims. Default: `sub`. Keep tokens of providers out of the JWT payload. */
  readonly login?: FindLogin
  /** The clock, for tests. Default: the system clock. */
  readonly clock?: Clock
}

/** The options of `fromAuthJsDatabase`. */
export interface AuthJsSessionsOptions {
  /** The names of the session cookie, if `cookies.sessionToken.name` is set. Default: those of both versions. */
  readonly cookieNames?: readonly string[]
  /** The option `cookies.sessionToken.options.domain`. Default: none. */
  readonly cookieDomain?: string
  /** The clock, for tests. Default: the system clock. */
  readonly clock?: Clock
  /** The database of the adapter. */
  readonly database: ForeignDatabase
  /** The tables. Default: `sessions` and `users`. Prisma: `Session`, `User`. Drizzle: `session`, `user`. */
  readonly tables?: { readonly sessions?: string; readonly users?: string }
  /**
   * How the column `expires` holds a time, if it has no zone: `utc`, as Prisma and Drizzle write it, or `instant`, in
   * the zone of the connection. On PostgreSQL, `utc` is right for columns with a zone as well. Default: `utc`.
   */
  readonly expires?: 'instant' | 'utc'
  /** Adds tenant and data to a session. Default: none. */
  readonly login?: (session: ForeignRow) => Omit<ForeignLogin, 'userId'>
}

const namesRule = rule('an array of cookie names', (value): value is readonly string[] => (
  Array.isArray(value) && value.length > 0 && value.every(each => typeof each === 'string')
))

/** The rules of the options of `fromAuthJsTokens`. */
export const authJsTokenRules: RulesFor<AuthJsTokensOptions> = {
  secret: required(secret(oneOrMore('a string, or an array of strings', text()))),
  cookieNames: namesRule,
  cookieDomain: text('a host'),
  decode: callback<NonNullable<AuthJsTokensOptions['decode']>>(),
  login: callback<FindLogin>(),
  clock: callback<Clock>(),
}

/** The rules of the options of `fromAuthJsDatabase`. */
export const authJsDatabaseRules: RulesFor<AuthJsSessionsOptions> = {
  database: required(databaseRule),
  cookieNames: namesRule,
  cookieDomain: text('a host'),
  tables: rule('an object with the names sessions and users',
    (value): value is { sessions?: string; users?: string } => (
      typeof value === 'object' && value !== null
  )),
  expires: oneOf('instant', 'utc'),
  login: callback<NonNullable<AuthJsSessionsOptions['login']>>(),
  clock: callback<Clock>(),
}

/** The names of both versions; on https both have a prefix. In version 5, the key depends on the name. */
const NAMES: readonly string[] = [
  '__Secure-authjs.session-token', 'authjs.session-token',
  '__Secure-next-auth.session-token', 'next-auth.session-token',
]

const CHUNKS = 10
/** How much later than `exp` Auth.js accepts a token, in seconds. */
const TOLERANCE = 15

/**
 * Imports the encrypted tokens of NextAuth 4 and Auth.js 5 (strategy `jwt`). They prove nothing but the secret: Auth.js
 * cannot revoke them, and a copy is good until it expires. So end the import early.
 */
export function fromAuthJsTokens(options: AuthJsTokensOptions): SessionImporter<JsonObject> {
  checkOptions('fromAuthJsTokens', authJsTokenRules, options)
  const { cookieNames = NAMES, cookieDomain, clock = Date.now } = options
  const { login = (claims: JsonObject) => userOf(claims) } = options
  const secrets = [options.secret].flat()
  /** As Auth.js does, which takes any error for a token that is not its own. */
  const decodeByApplication = async (token: string): Promise<JsonObject | null> => {
    try {
      return await options.decode?.(token) ?? null
    } catch {
      return null
    }
  }

  async function verdictOf(claims: JsonObject): Promise<ForeignVerdict> {
    const { exp, iat } = claims
    if (typeof exp !== 'number' || exp + TOLERANCE <= clock() / 1000) return { kind: 'dead', reason: 'expired' }
    const found = await login(claims)
    if (found === null) return { kind: 'anonymous' }
    // Auth.js issues the token anew whenever the session is read: it does not say when the user logged in.
    return liveSession(found, { persistent: true, issuedAt: typeof iat === 'number' ? iat * 1000 : null })
  }

  return {
    source: 'auth-js-jwt',
    at: 'request',
    async read(request) {
      for (const name of cookieNames) {
        for (const token of tokensIn(request, name)) {
          const claims = options.decode === undefined ? decode(token, name, secrets)
            : await decodeByApplication(token)
          if (claims === null) continue
          const id = claims['jti']
          // Not a hash of the token: its base64url can be written in several ways, each of them valid.
          const key = typeof id === 'string' ? id : hexDigest(JSON.stringify(claims))
          return { key, mode: 'cookie', state: claims }
        }
      }
      return null
    },
    judge: ({ state }) => verdictOf(state),
    clearings: () => clearingsOf(cookieNames, cookieDomain),
  }
}

/** Imports the sessions of NextAuth 4 and Auth.js 5 in a database (strategy `database`). */
export function fromAuthJsDatabase(options: AuthJsSessionsOptions): SessionImporter<string> {
  checkOptions('fromAuthJsDatabase', authJsDatabaseRules, options)
  const { database, cookieNames = NAMES, cookieDomain, clock = Date.now, login = () => ({}) } = options
  const { sessions: sessionTable = 'sessions', users: userTable = 'users' } = options.tables ?? {}
  const sessions = foreignTable(database, {
    table: sessionTable, key: 'sessionToken', times: { expires: options.expires ?? 'utc' },
  })
  const users = foreignTable(database, { table: userTable, key: 'id' })

  const usersOf = (rows: readonly ForeignRow[]): Promise<ReadonlyMap<string, ForeignRow>> => (
    users.findAll('id', rows.flatMap(row => textIn(row, 'userId') ?? []))
  )

  function verdictOf(row: ForeignRow, known: ReadonlyMap<string, ForeignRow>): ForeignVerdict {
    const expiresAt = timeIn(row, 'expires')
    if (expiresAt === null || expiresAt < clock()) return { kind: 'dead', reason: 'expired' }
    const userId = textIn(row, 'userId')
    if (userId === null || !known.has(userId)) return { kind: 'dead', reason: 'no-user' }
    return liveSession({ userId, ...login(row) }, { persistent: true })
  }

  return {
    source: 'auth-js',
    at: 'request',
    read(request) {
      // It is not signed: whether it is one, the database says.
      const token = cookieNames.flatMap(name => tokensIn(request, name)).find(each =>
        /^[\x21-\x7e]{16,255}$/.test(each)
      )
      return token === undefined ? null : { key: token, mode: 'cookie', state: token }
    },
    async judge({ state }) {
      const row = await sessions.find({ sessionToken: state })
      return row === null ? { kind: 'dead', reason: 'missing' } : verdictOf(row, await usersOf([row]))
    },
    retire: async ({ state }) => void await sessions.remove({ sessionToken: state }),
    retireUser: async userId => void await sessions.remove({ userId }),
    clearings: () => clearingsOf(cookieNames, cookieDomain),
    async scan(after, limit) {
      const rows = await sessions.page(after, limit)
      const known = await usersOf(rows)
      const last = rows.at(-1)
      return {
        sessions: rows.map(row => (
          { label: hexDigest(textIn(row, 'sessionToken') ?? '').slice(0, 12), verdict: verdictOf(row, known) }
        )),
        next: last === undefined || rows.length < limit ? null : textIn(last, 'sessionToken'),
      }
    },
    count: sessions.count,
  }
}

function userOf({ sub }: JsonObject): ForeignLogin | null {
  const userId = idOf(sub)
  return userId === null ? null : { userId }
}

/**
 * The tokens in the cookies of a name: whole ones, then one that was split into `name.0`, `name.1` and so on. Chunks of
 * an earlier, longer token may follow those of the token: so every number of chunks is tried, the longest first.
 */
function tokensIn(request: ImportRequest, name: string): readonly string[] {
  const chunks: string[] = []
  for (let index = 0; index < CHUNKS; index++) {
    const [chunk] = request.cookies(`${name}.${index}`)
    if (chunk === undefined) break
    chunks.push(chunk)
  }
  const joined = chunks.map((_, index) => chunks.slice(0, chunks.length - index).join(''))
  return [...request.cookies(name), ...joined]
}

/** Decrypts a token as version 4 and 5 do. The length of the key tells the versions apart, and the name is its salt. */
function decode(token: string, name: string, secrets: readonly string[]): JsonObject | null {
  const jwe = parseJwe(token)
  const length = jwe === null ? null : keyLengthOf(jwe)
  if (jwe === null || length === null) return null
  const { kid } = jwe.header
  const keys = secrets.flatMap(each => [
    hkdf(each, name, `Auth.js Generated Encryption Key (${name})`, length),
    ...kid === undefined && length === 32 ? [hkdf(each, '', 'NextAuth.js Generated Encryption Key', length)] : [],
  ])
  for (const key of keys) {
    if (kid !== undefined && kid !== thumbprint(key)) continue
    const claims = decryptJwe(jwe, key)
    if (claims !== null) return claims
  }
  return null
}

function clearingsOf(names: readonly string[], domain: string | undefined): readonly ForeignCookie[] {
  const chunked = names.flatMap(name => [name, ...Array.from({ length: CHUNKS }, (_, index) => `${name}.${index}`)])
  return chunked.flatMap((name): ForeignCookie[] => [{ name }, ...domain === undefined ? [] : [{ name, domain }]])
}
