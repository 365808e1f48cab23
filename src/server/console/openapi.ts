import type { Schema } from '../../base/json-schema.ts'
import { consoleCookies } from '../../console/key-login.ts'
import { consoleOperations } from '../../console/operations.ts'
import type { ConsoleOperation } from '../../console/operations.ts'
import type { ConsolePlace } from '../../transport/console-port.ts'
import { userId } from '../native/schemas.ts'
import { PAGE_POSITION } from '../../stores/page-position.ts'
import { openApiDocument } from '../openapi.ts'
import type { DocumentedOperation, DocumentedParameter, DocumentedResponse } from '../openapi.ts'
import { consoleComponents, consoleConflict, consoleError, consoleResults } from './schemas.ts'

/**
 * The OpenAPI 3.1 document of the console's API, made from the table that also routes and validates requests. It is one
 * of its own: operators log in with cookies, not with API keys, and the paths are those of the console.
 */
export function describeConsole({ path, origin }: ConsolePlace): object {
  return openApiDocument({
    title: 'Keyturn console', version: '1',
    description: 'The API of the console\'s own pages. Log in, read `me`, and send its `changeToken` as '
      + 'x-console-token with every change. It may change with every version.',
    server: { serverUrl: `${path}/api`, needsKey: true },
    tags: { Console: 'What operators see and do.' },
    components: consoleComponents,
    operations: consoleOperations.map(operation => document(operation, origin)),
    security: [{ session: [] }],
    securitySchemes: {
      session: { type: 'apiKey', in: 'cookie', name: consoleCookies(origin).accessTokenName, description: 'A console session, of POST /login.' },
    },
  })
}

/** The forms of parameters that are checked where they are used, with messages of their own. */
const forms: Readonly<Record<string, Schema>> = { userId, after: { pattern: PAGE_POSITION.source } }

function document(operation: ConsoleOperation, origin: string): DocumentedOperation {
  const { id, method, path, summary, query, body, needs, isGuarded } = operation
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']): DocumentedParameter => ({
    name, in: 'path', schema: forms[name] ?? { type: 'string', description: 'The handle of a session.' },
  }))
  const inQuery = Object.entries(query).map(([name, schema]): DocumentedParameter => (
    // An empty parameter counts as absent.
    { name, in: 'query', schema: { ...schema, ...forms[name], minLength: 0 } }
  ))
  const guards: readonly DocumentedParameter[] = isGuarded ? [
    {
      name: 'origin',
      in: 'header',
      required: true,
      schema: { type: 'string', enum: [origin], description: 'That of the console.' },
    },
    ...needs === null ? [] : [{
      name: 'x-console-token', in: 'header', required: true,
      schema: { type: 'string', description: '`changeToken` of /me.' },
    } as const],
  ] : []
  return {
    id, method, path, tag: 'Console', summary,
    details: needs === 'manage' ? 'Needs the role manage.' : undefined,
    parameters: [...inPath, ...inQuery, ...guards],
    ...body === null ? {} : { body: { type: 'application/json', schema: body } },
    responses: responsesOf(operation),
    isPublic: needs === null,
  }
}

function responsesOf(
  { id, path, body, query, needs, isGuarded }: ConsoleOperation,
): Readonly<Record<number, DocumentedResponse>> {
  const failure = (words: string, hasRetryAfter = false): DocumentedResponse => (
    { words, schema: consoleError, type: 'application/json', hasRetryAfter }
  )
  const result = consoleResults[id]
  const isInput = body !== null || Object.keys(query).length > 0 || path.includes('{')
  return {
    ...result === null ? { 204: { words: 'It was done.', schema: null, type: 'application/json' } }
      : {
        200: {
          words: 'The result.', schema: result, type: 'application/json',
          ...id === 'exportEvents' ? { otherType: 'text/csv' } : {},
        },
      },
    ...isInput ? { 400: failure('The path, the query or the body is invalid.') } : {},
    ...needs === null && !isGuarded ? {}
      : { 401: failure(id === 'logIn' ? 'No such API key.' : 'No console session.') },
    403: failure(
      'The request does not come from a page of the console, has no change token, or needs the role manage.',
    ),
    404: failure('The path does not exist, or there is no such session.'),
    ...id === 'replacePayload' || id === 'replaceInfo'
      ? { 409: { words: 'The data has another version.', schema: consoleConflict, type: 'application/json' } } : {},
    ...body === null ? {} : { 413: failure('The body is too long.'), 415: failure('The body is not JSON.') },
    ...id === 'logIn' ? { 429: failure('Too many attempts.', true) } : {},
    500: failure('The request failed.'),
    503: failure('The store does not answer.', true),
  }
}
