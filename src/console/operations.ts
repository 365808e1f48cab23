import { HANDLE } from '../base/handle.ts'
import type { Schema } from '../base/json-schema.ts'
import { MAX_USER_ID_LENGTH, TENANT_ID } from '../session/identifiers.ts'
import type { AccessRequirements } from './access.ts'

/** The name of an operation of the console's API. */
export type ConsoleOperationId =
  | 'readLogin' | 'logIn' | 'logOut' | 'readOperator' | 'readOverview' | 'listSessions'
  | 'readStoredSession' | 'replacePayload' | 'replaceInfo' | 'endSession' | 'endSessionsOfUser' | 'listEvents'
  | 'exportEvents' | 'listKeys' | 'addKeys' | 'inspectToken' | 'readHealth'

/** An operation of the console's API: requests are routed, admitted and validated by it, and it is documented. */
export interface ConsoleOperation extends AccessRequirements {
  readonly id: ConsoleOperationId
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /**
   * The path below `api`, with parameters in braces. Free text, such as a user id, is never a part of it, but of the query
   * or the body: URLs cannot have the parts `.` and `..`.
   */
  readonly path: string
  readonly summary: string
  readonly query: Readonly<Record<string, Schema>>
  readonly body: Schema | null
}

const object = (properties: Readonly<Record<string, Schema>>, ...optional: readonly string[]): Schema => ({
  type: 'object', properties, additionalProperties: false,
  required: Object.keys(properties).filter(name => !optional.includes(name)),
})
const text = (maxLength: number, description: string): Schema => ({ type: 'string', maxLength, description })

const tenantId: Schema = {
  type: 'string', pattern: TENANT_ID.source, expected: '1 to 64 lower-case letters, digits and hyphens',
  description: 'Only sessions of this tenant.',
}
const handle: Schema = {
  type: 'string', pattern: HANDLE.source, expected: 'the handle of a session', description: 'The handle of a session.',
}
const page: Readonly<Record<'after' | 'limit', Schema>> = {
  after: text(2000, 'The `next` of the page before.'),
  limit: { type: 'integer', minimum: 1, maximum: 200, default: 50, description: 'The most lines of the page.' },
}
const filter: Readonly<Record<string, Schema>> = {
  userId: text(MAX_USER_ID_LENGTH, 'Only sessions of this user, also of the one with the empty id.'),
  tenantId,
  ip: text(64, 'Only sessions whose last refresh, or login, came from this address.'),
  device: text(512, 'Only sessions whose user agent contains this, in upper or lower case.'),
  ...page,
}
const selection: Readonly<Record<string, Schema>> = {
  kind: {
    type: 'string', enum: ['theft', 'audit'], default: 'theft',
    description: '`theft`: what concerns refresh tokens; `audit`: what operators did.',
  },
  userId: text(MAX_USER_ID_LENGTH, 'Only events about this user, also of the one with the empty id.'),
  handle: text(64, 'Only events about this session.'),
}
const change = object({
  value: {
    type: 'object', additionalProperties: true, description: 'The new data.',
    // JSON that JavaScript keeps unchanged, at any depth, as in the document of the native API.
    if: {},
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema: nothing awaits it
    then: { $ref: '#/components/schemas/JsonObject/then' },
  },
  version: {
    type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'The version that the new data replaces.',
  },
})

const read = { needs: 'read', isGuarded: false, query: {}, body: null } as const
const manage = { needs: 'manage', isGuarded: true, query: {}, body: null } as const

/** Every operation, in the order of the documentation. */
export const consoleOperations: readonly ConsoleOperation[] = [
  { ...read, id: 'readLogin', method: 'GET', path: '/login', needs: null, summary: 'Says how operators log in.' },
  {
    ...manage, id: 'logIn', method: 'POST', path: '/login', needs: null, summary: 'Logs in with an API key.',
    body: object({ apiKey: text(300, 'An API key.') }),
  },
  { ...manage, id: 'logOut', method: 'POST', path: '/logout', needs: 'read', summary: 'Ends the console session.' },
  { ...read, id: 'readOperator', method: 'GET', path: '/me', summary: 'Reads who is logged in, and the change token.' },
  { ...read, id: 'readOverview', method: 'GET', path: '/overview', summary: 'Reads the numbers of this process.' },
  {
    ...read, id: 'listSessions', method: 'GET', path: '/sessions', query: filter,
    summary: 'Lists sessions of all users or of one, the newest login first.',
  },
  {
    ...manage, id: 'endSessionsOfUser', method: 'POST', path: '/revocations', summary: 'Revokes the sessions of a user.',
    body: object({ userId: text(MAX_USER_ID_LENGTH, 'Whose sessions.'), except: handle, tenantId }, 'except', 'tenantId'),
  },
  {
    ...read, id: 'readStoredSession', method: 'GET', path: '/sessions/{handle}',
    summary: 'Reads a session with its data.',
  },
  { ...manage, id: 'endSession', method: 'DELETE', path: '/sessions/{handle}', summary: 'Revokes a session.' },
  {
    ...manage, id: 'replacePayload', method: 'PUT', path: '/sessions/{handle}/payload', body: change,
    summary: 'Replaces the JWT payload of a session.',
  },
  {
    ...manage, id: 'replaceInfo', method: 'PUT', path: '/sessions/{handle}/info', body: change,
    summary: 'Replaces the session data of a session.',
  },
  { ...read, id: 'listEvents', method: 'GET', path: '/events', query: { ...selection, ...page },
    summary: 'Lists events.' },
  {
    ...read, id: 'exportEvents', method: 'GET', path: '/events/export', summary: 'Writes all events into a file.',
    query: { ...selection,
      format: { type: 'string', enum: ['json', 'csv'], default: 'json', description: 'The format.' } },
  },
  { ...read, id: 'listKeys', method: 'GET', path: '/keys', summary: 'Lists the keys, without their material.' },
  {
    ...manage, id: 'addKeys', method: 'POST', path: '/keys/rotation',
    summary: 'Adds the next keys, which are used an hour later.',
  },
  {
    ...manage, id: 'inspectToken', method: 'POST', path: '/inspections', needs: 'read',
    summary: 'Examines an access token. Nothing of it is kept.',
    body: object({ token: text(16_384, 'An access token.') }),
  },
  { ...read, id: 'readHealth', method: 'GET', path: '/health', summary: 'Reads health, findings and configuration.' },
]
