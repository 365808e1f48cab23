import { operations } from './operations.ts'
import type { Operation } from './operations.ts'

/** The OpenAPI 3.1 document of the native API, made from the table that also routes and validates requests. */
export function describeApi(): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method.toLowerCase()]: describe(operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Keyturn', version: '1',
      description: 'Sessions for applications in any language. Access tokens are JWTs of the type at+jwt (RFC 9068): '
        + 'verify them with the keys of /jwt/jwks.json under their issuer, and follow /v1/revocations to refuse those of '
        + 'revoked sessions.',
    },
    security: [{ apiKey: [] }, { bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'api-key' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
  }
}

function describe({ id, path, summary, query = {}, body, responses }: Operation): object {
  const schema = { type: 'string' }
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema })),
    ...Object.entries(query).map(([name, description]) => ({ name, in: 'query', description, schema })),
  ]
  return {
    operationId: id,
    summary,
    ...parameters.length === 0 ? {} : { parameters },
    ...body === undefined ? {} : { requestBody: { required: true, content: { [body.type]: { schema: body.schema } } } },
    responses: {
      ...Object.fromEntries(Object.entries(responses).map(([status, { words, schema, type = 'application/json' }]) => [
        status,
        {
          description: words,
          ...schema === null && type === 'application/json' ? {} : { content: { [type]: { schema: schema ?? {} } } },
        },
      ])),
      401: {
        description: 'The request has no valid API key.',
        ...responses[401] === undefined ? {} : { content: { 'application/json': { schema: responses[401].schema } } },
      },
    },
  }
}
