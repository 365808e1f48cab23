import { createDecipheriv, pbkdf2Sync } from 'node:crypto'
import { parseJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'
import { callback, checkOptions, flag, number, required, secret, text } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import type { Clock, EpochMilliseconds } from '../base/time.ts'
import type { ForeignCredential, ForeignVerdict, ImportRequest, SessionImporter } from '../session/importer.ts'
import { databaseRule, queriesOf } from './data/database.ts'
import type { ForeignDatabase, ForeignRow } from './data/database.ts'
import { numberIn, qualified, textIn } from './data/table.ts'
import { commonPayload } from './supertokens-payload.ts'
import { areTextsEqual, hexDigest } from './mac.ts'
import { primaryUsers } from './supertokens-users.ts'

/** The options of `fromSuperTokens`. */
export interface SuperTokensOptions {
  /** The database of the core: a pool of `pg` or `mysql2/promise`. */
  readonly database: ForeignDatabase
  /**
   * The text of the row `refresh_token_key` in the table `key_value`, which encrypts all refresh tokens. Default: it is
   * read from that table. Pass it if this process shall not read the table; destroy it when the import has ended.
   */
  readonly refreshTokenKey?: string
  /** The app of the core. Default: `public`. */
  readonly appId?: string
  /** The option `postgresql_table_schema` of the core. Default: none. */
  readonly schema?: string
  /** The option `postgresql_table_names_prefix` or `mysql_table_names_prefix` of the core. Default: none. */
  readonly prefix?: string
  /**
   * How long the refresh token before the last one is accepted, for cores from 12.1 on, in milliseconds, from 0 to
   * 3,600,000. Default: 30,000.
   */
  readonly grace?: number
  /** Whether a refresh token that names an anti-CSRF token needs it in a header. Default: true. */
  readonly antiCsrf?: boolean
  /** Domains on which the old SDK set cookies. Default: none but the host. */
  readonly cookieDomain?: string
  /** The path of the old refresh cookie. Default: `/auth/session/refresh`. */
  readonly refreshPath?: string
  /** Changes JWT payload and session data. Default: claims that the SDK itself has added are left out. */
  readonly data?: (session: { readonly jwtPayload: JsonObject; readonly sessionInfo: JsonObject }) => {
    readonly jwtPayload: JsonObject
    readonly sessionInfo: JsonObject
  }
  /** The clock, for tests. Default: the system clock. */
  readonly clock?: Clock
}

/** The rules of the options of `fromSuperTokens`. */
export const superTokensRules: RulesFor<SuperTokensOptions> = {
  database: required(databaseRule),
  refreshTokenKey: secret(
    text('the text of the row refresh_token_key: 1000:<hex>:<hex>', /^\d+:[0-9a-f]+:[0-9a-f]+$/i),
  ),
  appId: text(),
  schema: text('the name of a schema', /^[A-Za-z_][A-Za-z0-9_]{0,62}$/),
  prefix: text('a prefix of letters, digits and _', /^[A-Za-z_][A-Za-z0-9_]{0,30}$/),
  grace: number('milliseconds', 0, 3_600_000),
  antiCsrf: flag,
  cookieDomain: text('a host'),
  refreshPath: text('a path', /^\//),
  data: callback<NonNullable<SuperTokensOptions['data']>>(),
  clock: callback<Clock>(),
}

/** What an opened refresh token says. */
interface OpenedToken {
  readonly handle: string
  readonly tenantId: string
  /** The hash by which the row names this token, and its parent's, if there is one. */
  readonly hash: string
  readonly parentHash: string | null
}

const COOKIES = ['sAccessToken', 'sRefreshToken', 'sIdRefreshToken', 'sFrontToken'] as const

/**
 * Imports the sessions of SuperTokens cores 9 to 12, from their database. A session is taken over at the refresh
 * endpoint, where browsers send the refresh token; a request with an old access token is asked to refresh. Never let
 * the core and Keyturn answer at one refresh URL at the same time.
 */
export function fromSuperTokens(options: SuperTokensOptions): SessionImporter<OpenedToken> {
  checkOptions('fromSuperTokens', superTokensRules, options)
  const { database, appId = 'public', schema, prefix, grace = 30_000, clock = Date.now, cookieDomain } = options
  const { data = commonPayload, antiCsrf = true, refreshPath = '/auth/session/refresh' } = options
  const queries = queriesOf(database)
  const named = (name: string): string => qualified(queries, {
    table: prefix === undefined ? name : `${prefix}_${name}`, schema,
  })
  const sessions = named('session_info')
  const users = primaryUsers(queries, named, appId)
  let key: Promise<string | null> | null = null

  async function readKey(): Promise<string | null> {
    const [row = {}] = await queries.rows(
      `SELECT value FROM ${named('key_value')} WHERE app_id = ? AND tenant_id = 'public' AND name = 'refresh_token_key'`,
      [appId])
    return textIn(row, 'value')
  }

  function refreshKey(): Promise<string | null> {
    key ??= (options.refreshTokenKey === undefined ? readKey() : Promise.resolve(options.refreshTokenKey))
      .catch((error: unknown) => {
        key = null
        throw error
      })
    return key
  }

  async function open(
    token: string,
    mode: 'cookie' | 'header',
    request: ImportRequest,
  ): Promise<ForeignCredential<OpenedToken> | null> {
    if (!/^[A-Za-z0-9+/]+=*\.[^.]+\.v[012]$/i.test(token)) return null
    const password = await refreshKey()
    const content = password === null ? null : openRefreshToken(token, password)
    if (content === null) return null
    const { sessionHandle: handle, tenantId = 'public', parentRefreshTokenHash1: parent, antiCsrfToken } = content
    if (typeof handle !== 'string' || typeof tenantId !== 'string') return null
    // A client in header mode sends none, and is asked for it only by an SDK that says so.
    const isAsked = mode === 'cookie' || request.antiCsrf !== null
    if (antiCsrf && isAsked && typeof antiCsrfToken === 'string'
      && !areTextsEqual(request.antiCsrf ?? '', antiCsrfToken)) return null
    const state = {
      handle, tenantId,
      hash: hexDigest(hexDigest(token)),
      parentHash: typeof parent === 'string' ? hexDigest(parent) : null,
    }
    return { key: `${appId} ${tenantId} ${handle}`, mode, state }
  }

  function verdictOf(
    row: ForeignRow,
    { hash, parentHash }: Pick<OpenedToken, 'hash' | 'parentHash'>,
    primaries: ReadonlyMap<string, string>,
  ): ForeignVerdict {
    const now = clock()
    const expiresAt = numberIn(row, 'expires_at')
    const createdAt: EpochMilliseconds | null = numberIn(row, 'created_at_time')
    if (expiresAt === null || expiresAt < now) return { kind: 'dead', reason: 'expired' }
    const proof = [textIn(row, 'refresh_token_hash_2'), previousOf(row, now)].filter(each => each !== null)
    if (!isOneOf(proof, hash, parentHash)) return { kind: 'reused' }
    const [jwtPayload, sessionInfo] = ['jwt_user_payload', 'session_data'].map(column => (
      parseJsonObject(textIn(row, column) ?? '{}')
    ))
    if (jwtPayload === undefined || jwtPayload === null || sessionInfo === undefined || sessionInfo === null) {
      return { kind: 'dead', reason: 'unreadable' }
    }
    const recipeUser = textIn(row, 'user_id')
    if (recipeUser === null) return { kind: 'dead', reason: 'no-user' }
    return {
      kind: 'alive',
      userId: primaries.get(recipeUser) ?? recipeUser,
      tenantId: textIn(row, 'tenant_id') ?? 'public',
      issuedAt: createdAt,
      authenticatedAt: createdAt,
      persistent: true,
      proof: proof.join(' '),
      ...data({ jwtPayload, sessionInfo }),
    }
  }

  const primariesOf = (rows: readonly ForeignRow[]): Promise<ReadonlyMap<string, string>> => (
    users.primariesOf(rows.flatMap(row => textIn(row, 'user_id') ?? []))
  )

  /** The hash of the token before the last one, while the core accepts it. */
  function previousOf(row: ForeignRow, now: EpochMilliseconds): string | null {
    const rotatedAt = numberIn(row, 'refresh_token_rotated_at')
    return rotatedAt !== null && now <= rotatedAt + grace ? textIn(row, 'prev_refresh_token_hash_2') : null
  }

  return {
    source: 'supertokens',
    at: 'refresh',
    async read(request) {
      const { bearer } = request
      const fromHeader = bearer === null ? null : await open(bearer, 'header', request)
      if (fromHeader !== null) return fromHeader
      for (const token of request.cookies('sRefreshToken')) {
        const found = await open(token, 'cookie', request)
        if (found !== null) return found
      }
      return null
    },
    async judge({ state }) {
      const [row] = await queries.rows(
        `SELECT * FROM ${sessions} WHERE app_id = ? AND tenant_id = ? AND session_handle = ?`,
        [appId, state.tenantId, state.handle])
      return row === undefined ? { kind: 'dead', reason: 'missing' } : verdictOf(row, state, await primariesOf([row]))
    },
    matches: ({ state }, proof) => isOneOf(proof.split(' '), state.hash, state.parentHash),
    async retire({ state: { tenantId, handle, hash, parentHash } }) {
      await queries.change(
        `DELETE FROM ${sessions} WHERE app_id = ? AND tenant_id = ? AND session_handle = ?
         AND refresh_token_hash_2 IN (?, ?)`, [appId, tenantId, handle, hash, parentHash ?? hash])
    },
    async retireUser(userId) {
      for (const each of await users.usersOf(userId)) {
        await queries.change(`DELETE FROM ${sessions} WHERE app_id = ? AND user_id = ?`, [appId, each])
      }
    },
    clearings: () => COOKIES.flatMap(name => {
      const paths = name === 'sRefreshToken' ? [refreshPath, '/'] : ['/']
      return paths.flatMap(
        path => [{ name, path }, ...cookieDomain === undefined ? [] : [{ name, path, domain: cookieDomain }]]
      )
    }),
    announces: ({ bearer, cookies }) => [bearer ?? '', ...cookies('sAccessToken')].some(isOldAccessToken),
    async scan(after, limit) {
      const rows = await queries.rows(
        `SELECT * FROM ${sessions} WHERE app_id = ? AND session_handle > ? ORDER BY session_handle LIMIT ${limit}`,
        [appId, after ?? ''])
      const primaries = await primariesOf(rows)
      const last = rows.at(-1)
      return {
        sessions: rows.map(row => {
          const hash = textIn(row, 'refresh_token_hash_2') ?? ''
          return {
            label: textIn(row, 'session_handle') ?? '',
            verdict: verdictOf(row, { hash, parentHash: null }, primaries),
          }
        }),
        next: last === undefined || rows.length < limit ? null : textIn(last, 'session_handle'),
      }
    },
    async count() {
      const [row = {}] = await queries.rows(`SELECT COUNT(*) AS number FROM ${sessions} WHERE app_id = ?`, [appId])
      return numberIn(row, 'number')
    },
  }
}

/**
 * Whether a token is one of those that the row names. A child that was not used yet names its parent: after each
 * refresh that is the usual state.
 */
function isOneOf(hashes: readonly string[], hash: string, parentHash: string | null): boolean {
  return hashes.includes(hash) || (parentHash !== null && hashes.includes(parentHash))
}

/** Decrypts a refresh token; null if it was encrypted with another key, or was changed. */
function openRefreshToken(token: string, password: string): JsonObject | null {
  const [encrypted = '', nonce] = token.split('.')
  const bytes = Buffer.from(encrypted, 'base64')
  if (bytes.length <= 28) return null
  const [iv, tag] = [bytes.subarray(0, 12), bytes.subarray(-16)]
  const key = pbkdf2Sync(password, iv, 100, 32, 'sha512')
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: 16 }).setAuthTag(tag)
    const plain = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8')
    const content = parseJsonObject(plain)
    return content !== null && content['nonce'] === nonce ? content : null
  } catch {
    return null
  }
}

/** Whether a text looks like an access token of the core: its header has a version. */
function isOldAccessToken(token: string): boolean {
  const [header = '', ...rest] = token.split('.')
  if (rest.length !== 2) return false
  const content = parseJsonObject(Buffer.from(header, 'base64').toString('utf8'))
  return typeof content?.['version'] === 'string'
}
