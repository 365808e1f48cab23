import type { Schema } from '../base/json-schema.ts'

/** A documented operation of an HTTP API. */
export interface DocumentedOperation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly details?: string | undefined
  readonly parameters: readonly DocumentedParameter[]
  readonly body?: { readonly type: string; readonly schema: Schema } | undefined
  readonly responses: Readonly<Record<number, DocumentedResponse>>
  /** Whether it needs no API key. */
  readonly isPublic?: boolean
}

/** A parameter of the path, the query or the headers. */
export interface DocumentedParameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: Schema
}

/** A response. */
export interface DocumentedResponse {
  readonly words: string
  /** null: it has no body. */
  readonly schema: Schema | null
  readonly type: string
  /** A media type that it may have instead, of a text. */
  readonly otherType?: string
  /** Whether it has the header Retry-After. */
  readonly hasRetryAfter?: boolean
}

/** The server that a document describes. */
export interface DocumentedServer {
  /** The URL that all paths are below, possibly relative to the document's. */
  readonly serverUrl: string
  /** Whether requests must carry an API key. */
  readonly needsKey: boolean
}

/** An HTTP API of the server. */
export interface DocumentedApi {
  readonly title: string
  readonly version: string
  readonly description: string
  readonly server: DocumentedServer
  readonly tags: Readonly<Record<string, string>>
  readonly operations: readonly DocumentedOperation[]
  /** Schemas by their names: wherever one of them is used, the document refers to it. */
  readonly components: Readonly<Record<string, Schema>>
  /** How requests log in. Default: with an API key. */
  readonly security?: readonly object[]
  readonly securitySchemes?: Readonly<Record<string, object>>
}

const retryAfter = {
  'Retry-After': {
    description: 'How many seconds to wait before the request is repeated.',
    schema: { type: 'integer', format: 'int32' },
  },
}

/** Writes the OpenAPI 3.1 document of an API. */
export function openApiDocument(api: DocumentedApi): object {
  const names = new Map(Object.entries(api.components).map(([name, schema]) => [schema, name]))
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of api.operations) {
    paths[operation.path] = {
      ...paths[operation.path], [operation.method.toLowerCase()]: describe(operation, schema => refer(schema, names)),
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: api.title, version: api.version, description: api.description,
      license: { name: 'MIT', identifier: 'MIT' }, contact: { name: 'Keyturn' },
    },
    servers: [{ url: api.server.serverUrl, description: 'This server.' }],
    // `{}`: a server without API keys accepts requests without one.
    security: api.security ?? [{ apiKey: [] }, { bearer: [] }, ...api.server.needsKey ? [] : [{}]],
    tags: Object.entries(api.tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(api.components).map(([name, schema]) => [name, parts(schema, names)])),
      securitySchemes: api.securitySchemes ?? {
        apiKey: { type: 'apiKey', in: 'header', name: 'api-key', description: 'An API key of the server.' },
        bearer: { type: 'http', scheme: 'bearer', description: 'The same API key as a bearer token.' },
      },
    },
  }
}

function describe(operation: DocumentedOperation, refer: (schema: Schema) => object): object {
  const { id, tag, summary, details, parameters, body, responses, isPublic = false } = operation
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: details === undefined ? summary : `${summary} ${details}`,
    ...isPublic ? { security: [] } : {},
    ...parameters.length === 0 ? {} : { parameters: parameters.map(each => describeParameter(each, refer)) },
    ...body === undefined ? {} : {
      requestBody: { required: true, content: { [body.type]: { schema: refer(body.schema) } } },
    },
    responses: Object.fromEntries(Object.entries(responses).map(([status, response]) => {
      const { words, schema, type, otherType, hasRetryAfter = false } = response
      return [status, {
        description: words,
        ...hasRetryAfter ? { headers: retryAfter } : {},
        ...schema === null ? {} : {
          content: {
            [type]: { schema: refer(schema) },
            ...otherType === undefined ? {} : { [otherType]: { schema: { type: 'string' } } },
          },
        },
      }]
    })),
  }
}

function describeParameter(
  { name, in: place, required = place === 'path', schema }: DocumentedParameter,
  refer: (schema: Schema) => object,
): object {
  const { description, ...rest } = schema
  return { name, in: place, required, ...description === undefined ? {} : { description }, schema: refer(rest) }
}

/** A reference to a schema that has a name; else the schema, with references in it. */
function refer(schema: Schema, names: ReadonlyMap<Schema, string>): object {
  const name = names.get(schema)
  return name === undefined ? parts(schema, names) : { $ref: `#/components/schemas/${name}` }
}

function parts(schema: Schema, names: ReadonlyMap<Schema, string>): object {
  const { expected: _, ...documented } = schema
  const { properties, items, oneOf } = documented
  return {
    ...documented,
    ...items === undefined ? {} : { items: refer(items, names) },
    ...oneOf === undefined ? {} : { oneOf: oneOf.map(each => refer(each, names)) },
    ...properties === undefined ? {} : {
      properties: Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, refer(member, names)])),
    },
  }
}
