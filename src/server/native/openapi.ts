import { openApiDocument } from '../openapi.ts'
import type { DocumentedOperation, DocumentedResponse, DocumentedServer } from '../openapi.ts'
import { errorCodes } from './error-codes.ts'
import type { ApiErrorCode } from './error-codes.ts'
import { operations, tags } from './operations.ts'
import type { Operation, OperationResponse } from './operations.ts'
import { anyText, components, errorBody } from './schemas.ts'
import type { Schema } from '../../base/json-schema.ts'

/** The OpenAPI 3.1 document of the native API, made from the table that also routes and validates requests. */
export function describeApi(server: DocumentedServer): object {
  return openApiDocument({
    title: 'Keyturn', version: '1',
    description: 'Sessions for applications in any language. Access tokens are JWTs of the type at+jwt (RFC 9068): '
      + 'verify them with the keys of /jwt/jwks.json under their issuer, and follow /v1/revocations to refuse those of '
      + 'revoked sessions.',
    server, tags, components,
    operations: operations.map(document),
  })
}

function document(operation: Operation): DocumentedOperation {
  const { id, method, path, tag, summary, details, query = {}, requiredQuery = [], body } = operation
  return {
    id, method, path, tag, summary, details, body,
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
        name, in: 'path', schema: parameterSchemas[name] ?? anyText,
      } as const)),
      ...Object.entries(query).map(([name, schema]) => (
        { name, in: 'query', required: requiredQuery.includes(name), schema } as const
      )),
    ],
    responses: Object.fromEntries(Object.entries(responsesOf(operation)).map(([status, response]) => (
      [status, documentResponse(Number(status), response)]
    ))),
  }
}

/** What is no handle is one of no session, which gets 404. */
const parameterSchemas: Readonly<Record<string, Schema>> = {
  handle: { type: 'string', description: 'The handle of the session.' },
}

/** The responses of an operation, with those that its path and its body may get, and those of every one. */
function responsesOf({ path, body, responses }: Operation): Readonly<Record<number, OperationResponse>> {
  const own = new Map(Object.entries(responses))
  const add = (status: number, words: string, code: ApiErrorCode): void => {
    const known = own.get(String(status))
    own.set(String(status), known === undefined
      ? { words, schema: errorBody, codes: [code] }
      : { ...known, words: `${known.words} Or: ${words}`, codes: [...known.codes ?? [], code] })
  }
  if (path.includes('{') && !own.has('404')) add(404, 'The path cannot be decoded.', 'not_found')
  add(401, 'The request has no valid API key.', 'invalid_api_key')
  if (body !== undefined) {
    add(413, 'The body is too long.', 'invalid_request')
    add(415, `The Content-Type is not ${body.type}.`, 'invalid_request')
  }
  add(500, 'The request failed.', 'server_error')
  if (!own.get('503')?.codes?.includes('unavailable')) add(503, 'The store does not answer.', 'unavailable')
  return Object.fromEntries(own)
}

function documentResponse(
  status: number,
  { words, schema, type = 'application/json', codes = [] }: OperationResponse,
): DocumentedResponse {
  const meanings = codes.map(code => `\n- \`${code}\`: ${errorCodes[code]}`).join('')
  return {
    words: meanings === '' ? words : `${words}\n${meanings}`, schema, type,
    hasRetryAfter: status === 503,
  }
}
