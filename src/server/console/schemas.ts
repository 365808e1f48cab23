import { HANDLE } from '../../base/handle.ts'
import type { Schema } from '../../base/json-schema.ts'
import { auditActions } from '../../console/api-reports.ts'
import type { ConsoleOperationId } from '../../console/operations.ts'
import { seriesNames } from '../../console/series.ts'
import { keyPurposes } from '../../tokens/key-store.ts'
import { anyObject as keptObject } from '../native/schemas.ts'

// The responses of the console's API, as `api-types.ts` has them.

const text: Schema = { type: 'string' }
const textOrNull: Schema = { type: ['string', 'null'] }
const flag: Schema = { type: 'boolean' }
const count: Schema = { type: 'integer', minimum: 0 }
const span: Schema = { type: 'number', description: 'Milliseconds.' }
const at: Schema = { type: 'number', description: 'Milliseconds since 1970.' }
const anyObject: Schema = { type: 'object', additionalProperties: true }
const list = (items: Schema): Schema => ({ type: 'array', items })
const one = (...words: readonly string[]): Schema => ({ type: 'string', enum: words })
const orNull = (schema: Schema): Schema => ({ oneOf: [schema, { type: 'null' }] })
const object = (properties: Readonly<Record<string, Schema>>, ...optional: readonly string[]): Schema => ({
  type: 'object', properties, additionalProperties: false,
  required: Object.keys(properties).filter(name => !optional.includes(name)),
})
const each = (names: readonly string[], schema: Schema): Readonly<Record<string, Schema>> => (
  Object.fromEntries(names.map(name => [name, schema]))
)

const role = one('read', 'manage')
const product = object({ name: one('Keyturn'), version: text })
const login = one('key', 'embedded')
const consoleHandle: Schema = { type: 'string', pattern: HANDLE.source }
const handleOrNull: Schema = { type: ['string', 'null'], pattern: HANDLE.source }
const consoleClient = object({ ip: textOrNull, userAgent: textOrNull, deviceName: textOrNull })
const versioned = object({ value: anyObject, version: count })
const rowMembers = {
  handle: consoleHandle, userId: text, tenantId: text, createdAt: at, refreshedAt: at, expiresAt: at,
  client: consoleClient,
}
const sessionRow = object(rowMembers)
const finding = object({ severity: one('error', 'warning', 'info'), sentence: text, cure: text })
const judgement = object({ verdict: one('good', 'warning', 'bad', 'unknown'), sentence: text })
const health = object({
  status: one('ok', 'degraded', 'failing'), since: at, reasons: list(text),
  store: object({
    isReachable: flag, latency: orNull(span), lastFailure: orNull(object({ reason: text, at })),
  }),
  feed: object({
    mode: one('off', 'feed', 'strict'), state: text, age: orNull(span), isStale: flag,
    fallback: one('none', 'store', 'failOpen', 'failClosed'),
  }),
  keys: orNull(object({ current: text, age: span, nextRotation: at, areEncrypted: flag, count })),
  cache: object({ entries: count, hits: count, misses: count }),
})
const eventMembers = { id: text, at, until: at, userId: textOrNull, handle: handleOrNull, sentence: text }
const tokenUse = object({ generation: count, branch: count, at, by: consoleClient })
const tokenEvent = object({
  ...eventMembers, kind: one('theft', 'shared', 'rejected'), presented: orNull(tokenUse), current: orNull(tokenUse),
  isRevoked: flag, reason: textOrNull,
})
const auditEvent = object({
  ...eventMembers, kind: one('audit'), action: one(...auditActions), operator: text, role,
  stage: one('intended', 'done', 'failed'), changeId: text,
})
const sessionList = object({ sessions: list(sessionRow), next: textOrNull })
const parts = ['header', 'claims', 'signature', 'key', 'lifetime', 'revocation']

/** The body of every error. */
export const consoleError: Schema = object({ code: text, message: text, field: text }, 'field')
/** The body of a conflict. */
export const consoleConflict: Schema = object({ code: one('conflict'), message: text, current: versioned })

/** The body of each successful response; null: it has none. */
export const consoleResults: Readonly<Record<ConsoleOperationId, Schema | null>> = {
  readLogin: object({ login, product }),
  logIn: null,
  logOut: null,
  readOperator: object({
    name: text, role, product, login, changeToken: text, application: text, now: at,
    session: orNull(object({ idleTimeout: span, endsAt: at })),
  }),
  readOverview: object({
    now: at, health, meanings: anyObject,
    counters: object(each([
      'logins', 'refreshes', 'revocations', 'thefts', 'refusals', 'verified', 'cacheHits', 'rejected', 'storeFailures',
    ], count)),
    series: object({ from: at, step: span, ...each(seriesNames, list(orNull({ type: 'number' }))) }),
    sessionsInUse: orNull(object({ count, isAtLeast: flag })),
  }),
  listSessions: sessionList,
  endSessionsOfUser: object({ revoked: count }),
  readStoredSession: object({
    ...rowMembers, authenticatedAt: at, isPersistent: flag, refreshKeyId: text, jwtPayload: versioned,
    sessionInfo: versioned,
    lifetimes: object({ accessToken: span, idleTimeout: span, absoluteExpiry: orNull(at), reuseInterval: span }),
    lineage: object({ generation: count, branch: count, isConfirmed: flag, sentence: text }),
  }),
  endSession: null,
  replacePayload: null,
  replaceInfo: null,
  listEvents: object({ events: list({ oneOf: [tokenEvent, auditEvent] }), next: textOrNull }),
  exportEvents: list({ oneOf: [tokenEvent, auditEvent] }),
  listKeys: object({
    keys: list(object({
      kid: text, purpose: one(...keyPurposes), algorithm: text, state: one('next', 'current', 'previous'),
      createdAt: at,
      activeFrom: at, removedAt: orNull(at), isEncrypted: flag,
    })),
    nextRotation: orNull(at), jwks: object({ keys: list(anyObject) }), findings: list(finding),
  }),
  addKeys: null,
  inspectToken: object({
    verdict: judgement.properties?.['verdict'] ?? text, sentence: text, parts: object(each(parts, judgement)),
    header: orNull(anyObject), claims: orNull(anyObject), handle: handleOrNull, userId: textOrNull,
    explained: list(object({ claim: text, meaning: text, at: orNull(at) })),
  }),
  readHealth: object({
    health, findings: list(finding),
    configuration: list(object({ name: text, value: text, isDefault: flag })),
  }),
}

/** The schemas that have a name in the document. */
export const consoleComponents: Readonly<Record<string, Schema>> = {
  Error: consoleError, Conflict: consoleConflict, Client: consoleClient, Versioned: versioned, SessionRow: sessionRow,
  SessionList: sessionList, Health: health, Finding: finding, Judgement: judgement, TokenUse: tokenUse,
  TokenEvent: tokenEvent,
  AuditEvent: auditEvent, Product: product, JsonObject: keptObject,
}
