import { isJsonObject } from '../../base/json.ts'

/** The part of JSON Schema (draft 2020-12) that the native API is described in. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean' | 'null' | readonly ['string', 'null']
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean
  readonly items?: Schema
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
}

/** Where a value does not fit a schema, or null if it does. The words name no value. */
export function schemaViolation(schema: Schema, value: unknown, place = 'the body'): string | null {
  if (schema.type !== undefined && ![schema.type].flat().some(type => isOfType(type, value))) {
    return `${place} must be ${[schema.type].flat().join(' or ')}`
  }
  if (typeof value === 'string') return misfitOfText(schema, value, place)
  if (typeof value === 'number') return misfitOfNumber(schema, value, place)
  if (Array.isArray(value)) {
    for (const item of value) {
      const words = schema.items === undefined ? null : schemaViolation(schema.items, item, `an item of ${place}`)
      if (words !== null) return words
    }
    return null
  }
  return isJsonObject(value) ? misfitOfObject(schema, value, place) : null
}

function misfitOfText(schema: Schema, value: string, place: string): string | null {
  const { pattern, enum: words } = schema
  if (pattern !== undefined && !new RegExp(pattern).test(value)) return `${place} must match ${pattern}`
  return words === undefined || words.includes(value) ? null : `${place} must be one of ${words.join(', ')}`
}

function misfitOfNumber({ minimum, maximum }: Schema, value: number, place: string): string | null {
  if (minimum !== undefined && value < minimum) return `${place} must be at least ${minimum}`
  return maximum !== undefined && value > maximum ? `${place} must be at most ${maximum}` : null
}

function misfitOfObject(schema: Schema, value: Readonly<Record<string, unknown>>, place: string): string | null {
  const missing = schema.required?.find(name => !Object.hasOwn(value, name))
  if (missing !== undefined) return `${place} must have ${missing}`
  for (const [name, member] of Object.entries(value)) {
    const known = schema.properties !== undefined && Object.hasOwn(schema.properties, name)
    if (!known && schema.additionalProperties === false) return `${place} has a member that is not known`
    const words = known ? schemaViolation(schema.properties[name] ?? {}, member, name) : null
    if (words !== null) return words
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
