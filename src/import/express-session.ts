import { callback, checkOptions, having, oneOrMore, required, secret, text } from '../base/options.ts'
import type { RulesFor } from '../base/options.ts'
import type { Clock } from '../base/time.ts'
import { isJsonObject } from '../base/json.ts'
import type { ForeignCookie, ForeignVerdict, SessionImporter } from '../session/importer.ts'
import type { ExpressRecord, ExpressRecords } from './express-records.ts'
import { commonLogin, liveSession } from './login.ts'
import type { FindLogin } from './login.ts'
import { hexDigest, unsign, withoutPadding } from './mac.ts'

/** The options of `fromExpressSession`. */
export interface ExpressSessionsOptions {
  /** The `secret` of express-session: all secrets that it still accepts. */
  readonly secret: string | readonly string[]
  /** Where express-session keeps its sessions: what `connectRedisSessions` and the like return. */
  readonly sessions: ExpressRecords
  /**
   * Finds the user of a session; null: nobody is logged in. Default: looks for `passport.user`, `userId`, `user.id` and
   * `user`.
   */
  readonly login?: FindLogin
  /** The option `name` of express-session. Default: `connect.sid`. */
  readonly name?: string
  /** The option `cookie.path` of express-session. Default: `/`. */
  readonly path?: string
  /** The option `cookie.domain` of express-session. Default: none. */
  readonly domain?: string
  /** The clock, for tests. Default: the system clock. */
  readonly clock?: Clock
}

/** The rules of the options of `fromExpressSession`. */
export const expressSessionRules: RulesFor<ExpressSessionsOptions> = {
  secret: required(secret(oneOrMore('a string, or an array of strings', text()))),
  sessions: required(having<ExpressRecords>('what connectRedisSessions and the like return', 'find', 'remove')),
  login: callback<FindLogin>(),
  name: text('the name of a cookie'),
  path: text('a path', /^\//),
  domain: text('a host'),
  clock: callback<Clock>(),
}

/**
 * Imports the sessions of express-session. A session without a user is left alone. The secret is needed, because the
 * cookie is signed.
 */
export function fromExpressSession(options: ExpressSessionsOptions): SessionImporter<string> {
  checkOptions('fromExpressSession', expressSessionRules, options)
  const { sessions, login = commonLogin, name = 'connect.sid', path = '/', domain, clock = Date.now } = options
  const secrets = [options.secret].flat()

  async function verdictOf(record: ExpressRecord | null): Promise<ForeignVerdict> {
    if (record === null) return { kind: 'dead', reason: 'missing' }
    if (record.data === null) return { kind: 'dead', reason: 'unreadable' }
    if (record.expiresAt !== null && record.expiresAt <= clock()) return { kind: 'dead', reason: 'expired' }
    const { cookie, ...data } = record.data
    const found = await login(data)
    if (found === null) return { kind: 'anonymous' }
    const isPersistent = isJsonObject(cookie) && (cookie['originalMaxAge'] ?? null) !== null
    return liveSession(found, { persistent: isPersistent })
  }

  return {
    source: 'express-session',
    at: 'request',
    read(request) {
      for (const value of request.cookies(name)) {
        const id = value.startsWith('s:') ? unsign(value.slice(2), secrets, withoutPadding) : null
        if (id !== null) return { key: id, mode: 'cookie', state: id }
      }
      return null
    },
    judge: async ({ state: id }) => verdictOf(await sessions.find(id)),
    retire: ({ state: id }) => sessions.remove(id),
    clearings: () => [
      { name, path }, ...domain === undefined ? [] : [{ name, path, domain }],
    ] satisfies ForeignCookie[],
    async scan(after, limit) {
      const page = await sessions.page(after, limit)
      const scanned = page.records.map(async ({ id, record }) => (
        { label: hexDigest(id).slice(0, 12), verdict: await verdictOf(record) }
      ))
      return { sessions: await Promise.all(scanned), next: page.next }
    },
    count: () => sessions.count(),
  }
}
