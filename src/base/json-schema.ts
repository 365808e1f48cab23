import { cutText } from './cut-text.ts'
import { isJsonObject } from './json.ts'

/** The part of JSON Schema (draft 2020-12) that the HTTP APIs use. */
export interface Schema {
  readonly type?:
    | 'object'
    | 'array'
    | 'string'
    | 'integer'
    | 'number'
    | 'boolean'
    | 'null'
    | readonly ['string', 'null']
  /** How clients represent a number: only for the document. */
  readonly format?: 'int32' | 'int64' | 'double'
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  /** Only for the document. */
  readonly propertyNames?: Schema
  readonly items?: Schema
  readonly enum?: readonly string[]
  /** Only for the document, unless there is {@link expected}. */
  readonly pattern?: string
  /** What the pattern means: completes "must be ...". Not part of JSON Schema. */
  readonly expected?: string
  /** Only for the document: what checks the value has a message of its own. */
  readonly minLength?: number
  /** Only for the document. */
  readonly maxLength?: number
  /** Only for the document. */
  readonly not?: Schema
  /** Only for the document. */
  readonly oneOf?: readonly Schema[]
  /** Only for the document. */
  readonly if?: Schema
  /** Only for the document. */
  readonly then?: Schema
  /** Only for the document: another schema of it. */
  readonly $ref?: string
  /** Only for the document. */
  readonly dependentRequired?: Readonly<Record<string, readonly string[]>>
  readonly minimum?: number
  readonly maximum?: number
  /** Only for the document. */
  readonly exclusiveMinimum?: number
  readonly default?: string | number | boolean
}

/** What messages call the whole body. */
const BODY = 'the body'

/** What messages call the types. */
const typeWords = {
  object: 'an object', array: 'an array', string: 'a string', integer: 'a whole number', number: 'a number',
  boolean: 'true or false', null: 'null',
} as const

/** The message about the first violation of a schema, or null. It names the member, and never repeats a value. */
export function schemaViolation(schema: Schema, value: unknown, place: string = BODY): string | null {
  const types = schema.type === undefined ? [] : [schema.type].flat()
  if (types.length > 0 && !types.some(type => isOfType(type, value))) {
    return `${place} must be ${types.map(type => typeWords[type]).join(' or ')}`
  }
  if (typeof value === 'string') return textViolation(schema, value, place)
  if (typeof value === 'number') return numberViolation(schema, value, place)
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const violation = schema.items === undefined ? null : schemaViolation(schema.items, item, `${place}[${index}]`)
      if (violation !== null) return violation
    }
    return null
  }
  return isJsonObject(value) ? objectViolation(schema, value, place) : null
}

/** The message about the first parameter of a query that is missing or violates its schema, or null. */
export function queryViolation(
  schemas: Readonly<Record<string, Schema>>,
  query: URLSearchParams,
  required: readonly string[] = [],
): string | null {
  const missing = required.find(name => !query.has(name))
  if (missing !== undefined) return `the query must have ${missing}`
  for (const [name, text] of query) {
    const schema = schemas[name] ?? {}
    if (schema.type === 'integer' && !/^\d{1,15}$/.test(text)) return `${name} must be a whole number`
    const violation = schemaViolation(schema, schema.type === 'integer' ? Number(text) : text, name)
    if (violation !== null) return violation
  }
  return null
}

/** A name that a client has sent, for a message. */
function shown(name: string): string {
  return JSON.stringify(cutText(name, 60))
}

function textViolation(schema: Schema, value: string, place: string): string | null {
  const { pattern, expected, enum: words } = schema
  if (pattern !== undefined && expected !== undefined && !new RegExp(pattern).test(value)) {
    return `${place} must be ${expected}`
  }
  return words === undefined || words.includes(value) ? null : `${place} must be one of ${words.join(', ')}`
}

function numberViolation({ minimum, maximum }: Schema, value: number, place: string): string | null {
  if (minimum !== undefined && value < minimum) return `${place} must be at least ${minimum}`
  return maximum !== undefined && value > maximum ? `${place} must be at most ${maximum}` : null
}

function objectViolation(schema: Schema, value: Readonly<Record<string, unknown>>, place: string): string | null {
  const missing = schema.required?.find(name => !Object.hasOwn(value, name))
  if (missing !== undefined) return `${place} must have ${missing}`
  for (const [name, member] of Object.entries(value)) {
    const known = schema.properties !== undefined && Object.hasOwn(schema.properties, name)
    if (!known && schema.additionalProperties === false) return `${place} has an unknown member, ${shown(name)}`
    const inside = place === BODY ? name : `${place}.${name}`
    const violation = known ? schemaViolation(schema.properties[name] ?? {}, member, inside) : null
    if (violation !== null) return violation
  }
  return null
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'object': return isJsonObject(value)
    case 'array': return Array.isArray(value)
    case 'integer': return Number.isSafeInteger(value)
    case 'null': return value === null
    default: return typeof value === type
  }
}
