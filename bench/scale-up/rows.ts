import { hash } from 'node:crypto'
import { parseHandle } from '../../src/base/handle.ts'
import type { SessionHandle } from '../../src/base/handle.ts'
import type { EpochMilliseconds } from '../../src/base/time.ts'
import type { SessionRecord } from '../../src/session/record.ts'
import { changeColumns, changeValues } from '../../src/stores/sql/change-row.ts'
import { sessionColumns, sessionValues } from '../../src/stores/sql/session-row.ts'
import { sampleRecord } from '../../src/testing/samples.ts'

// The sessions that are loaded: each is computed from its number, by this process or by the database itself.

const DAY = 24 * 60 * 60 * 1000
const IDLE_TIMEOUT = 100 * DAY
/** The logins are spread over this many seconds. */
const SPREAD = 90 * 24 * 3600

/** When this process began: the time that the calls of the port get. */
export const now: EpochMilliseconds = Date.now()

/** Sessions that are loaded together. */
export interface Batch {
  /** The number of the first session. */
  readonly from: number
  readonly count: number
  /** How many sessions in a row belong to one user. */
  readonly perUser: number
  /** The user ids: this text and a number. */
  readonly users: string
  /** `due`: they have expired. `unconfirmed`: they were refreshed once, and the client may not have the answer. */
  readonly state: 'active' | 'due' | 'unconfirmed'
}

/** Active sessions, ten of each user. */
export const activeBatch = (count: number): Batch => (
  { from: 0, count, perUser: 10, users: 'user-', state: 'active' }
)

/** Expired sessions, whose numbers no other sessions have. */
export const dueBatch = (count: number): Batch => (
  { from: 100_000_000, count, perUser: 10, users: 'former-', state: 'due' }
)

const newestLogin = ({ state }: Batch): EpochMilliseconds => state === 'due' ? now - 200 * DAY : now - DAY

/** A session of each state. What all sessions have in common is as long as in real ones. */
const templates: Readonly<Record<Batch['state'], SessionRecord>> = {
  active: template('active'), due: template('due'), unconfirmed: template('unconfirmed'),
}

function template(state: Batch['state']): SessionRecord {
  return sampleRecord({
    refreshHash: 'h'.repeat(43),
    anchorHash: 'a'.repeat(43),
    refreshKeyId: 'k'.repeat(16),
    generation: state === 'unconfirmed' ? 1 : 0,
    confirmed: state !== 'unconfirmed',
    idleTimeout: IDLE_TIMEOUT,
    accessTokenLifetime: 60 * 60 * 1000,
    jwtPayload: '{"role":"admin","plan":"team"}',
    sessionInfo: '{"cart":[],"theme":"dark"}',
    client: { ip: '192.0.2.17', userAgent: `Mozilla/5.0 ${'(X11; Linux x86_64) '.repeat(5)}` },
  })
}

/** The handle of a session: `c`, 21 digits of an MD5, and `A`. Databases compute it as well. */
export function handleOf(number: number): SessionHandle {
  const digits = hash('md5', String(number)).slice(0, 21)
  const handle = parseHandle(`c${digits}A`)
  if (handle === null) throw new Error('the handle is malformed')
  return handle
}

/** The id of the user of a session. */
export function userOf(batch: Batch, number: number): string {
  return `${batch.users}${Math.floor(number / batch.perUser)}`
}

/** A session as a record. */
export function recordOf(batch: Batch, number: number): SessionRecord {
  const createdAt = newestLogin(batch) - (number % SPREAD) * 1000
  return {
    ...templates[batch.state],
    handle: handleOf(number),
    userId: userOf(batch, number),
    createdAt,
    authenticatedAt: createdAt,
    rotatedAt: createdAt,
    servedAt: createdAt,
    expiresAt: createdAt + IDLE_TIMEOUT,
  }
}

/** How a database writes the numbers and texts of a session, from the expression `n` of its number. */
export interface Dialect {
  readonly n: string
  concat(...texts: readonly string[]): string
  divide(dividend: string, divisor: number): string
}

const literal = (value: unknown): string => typeof value === 'string' ? `'${value}'` : `${value}`

/** The columns and expressions of an `INSERT ... SELECT` that loads a batch. */
export function sessionExpressions(batch: Batch, { n, concat, divide }: Dialect): {
  readonly columns: string
  readonly values: string
} {
  const constant = sessionValues(recordOf(batch, batch.from)).map(literal)
  const createdAt = `(${newestLogin(batch)} - (${n} % ${SPREAD}) * 1000)`
  const expiresAt = `(${createdAt} + ${IDLE_TIMEOUT})`
  const all: Readonly<Record<string, string>> = {
    ...Object.fromEntries(sessionColumns.map((column, index) => [column, constant[index] ?? 'NULL'])),
    handle: concat('\'c\'', `substr(md5(${n}), 1, 21)`, '\'A\''),
    user_id: concat(`'${batch.users}'`, divide(n, batch.perUser)),
    created_at: createdAt,
    authenticated_at: createdAt,
    rotated_at: createdAt,
    served_at: createdAt,
    expires_at: expiresAt,
    sweep_at: expiresAt,
  }
  return { columns: Object.keys(all).join(', '), values: Object.values(all).join(', ') }
}

/** The columns and expressions of an entry of the change log, a revocation of one session. */
export function changeExpressions(handle: string): { readonly columns: string; readonly values: string } {
  const sample = changeValues({ kind: 'revoked', handles: [handleOf(0)], until: now + DAY }).map(literal)
  const values = changeColumns.map((column, index) => column === 'handles' ? handle : sample[index])
  return { columns: changeColumns.join(', '), values: values.join(', ') }
}
