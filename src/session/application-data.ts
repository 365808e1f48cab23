import { GeneralError, InvalidDataError } from '../base/errors.ts'
import { findNotJson, isJsonObject, parseJsonObject } from '../base/json.ts'
import type { JsonObject, NotJson } from '../base/json.ts'
import type { StandardSchema } from '../base/standard-schema.ts'
import { checkPayload } from '../tokens/access-token.ts'
import type { InputOf, OutputOf } from './data-types.ts'
import { requireUserId } from './identifiers.ts'
import type { SessionPolicy } from './policy.ts'

/** Data that the application's own schema rejects. That is an ordinary refusal: nothing is wrong with the program. */
export class SchemaMismatchError extends InvalidDataError {}

/** Converts one kind of application data to stored JSON and back. A schema validates and types it. */
export interface DataCodec<Data extends object> {
  /**
   * Validates a value and converts what the schema returns to a JSON string.
   * @throws InvalidDataError that says what is invalid, or what JSON cannot carry.
   */
  write(value: InputOf<Data>): Promise<string>
  /** Parses the result of {@link DataCodec.write}. @throws GeneralError (`STORE_UNAVAILABLE`) for any other string. */
  read(text: string): OutputOf<Data>
  /** The data of a session if the login passes none: `{}`. @throws InvalidDataError if the schema rejects that. */
  empty(): Promise<string>
  /** Accepts a parsed value, of an access token with a valid signature. */
  accept(value: JsonObject): OutputOf<Data>
}

/** Converts an application's data to stored JSON and back. */
export interface Codecs<Payload extends object, Info extends object> {
  readonly payloads: DataCodec<Payload>
  readonly infos: DataCodec<Info>
  /** Checks a user id, and returns it. @throws InvalidDataError */
  readonly requireUserId: (userId: unknown) => string
}

interface CodecOptions {
  /** The name of the data in messages. */
  readonly name: string
  /** What it returns is written as JSON, and is {@link OutputOf} the data. */
  readonly schema: StandardSchema<unknown, unknown> | undefined
  /** Makes further checks of the JSON; throws. */
  readonly check: (value: JsonObject, text: string) => void
}

/** Creates the codec of the JWT payload or of the session data. */
export function createDataCodec<Data extends object>(options: CodecOptions): DataCodec<Data> {
  const { name, schema, check } = options
  async function write(value: unknown): Promise<string> {
    const text = stringify(name, schema === undefined ? value : await validate(name, schema, value))
    const plain = parseJsonObject(text)
    if (plain === null) throw new InvalidDataError(`the ${name} must be a JSON object`)
    check(plain, text)
    return text
  }
  return {
    write,
    empty: () => write({}),
    read(text): OutputOf<Data> {
      const value = parseJsonObject(text)
      if (value !== null) return acceptData(name, value)
      throw new GeneralError('STORE_UNAVAILABLE', `the ${name} in the store is not a JSON object`)
    },
    accept: value => acceptData(name, value),
  }
}

/** See {@link DataCodec.accept}. `name` is that of the data in messages. */
export function acceptData<Data extends object>(name: string, value: JsonObject): OutputOf<Data> {
  if (isValue<OutputOf<Data>>(value)) return value
  throw new GeneralError('STORE_UNAVAILABLE', `the ${name} is not a JSON object`)
}

/** The store holds only what `write` validated and JSON carries, so an object here is of the schema's type. */
function isValue<Value>(value: unknown): value is Value {
  return isJsonObject(value)
}

async function validate<Output>(
  name: string,
  schema: StandardSchema<unknown, Output>,
  value: unknown,
): Promise<Output> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  const issues = result.issues.slice(0, 5).map(({ message, path }) => {
    const place = (path ?? []).map(part => String(typeof part === 'object' ? part.key : part)).join('.')
    return place === '' ? message : `${place}: ${message}`
  })
  throw new SchemaMismatchError(`the ${name} does not match its schema: ${issues.join('; ')}`)
}

/**
 * Converts a value to JSON. @throws InvalidDataError, with a cause, that names what JSON would drop or change, and
 * where.
 */
function stringify(name: string, value: unknown): string {
  let text: string
  let found: NotJson | null
  try {
    found = findNotJson(value)
    text = found === null ? JSON.stringify(value) : ''
  } catch (cause) {
    // It is nested too deep, or a getter throws.
    throw new InvalidDataError(`the ${name} cannot be written as JSON`, { cause })
  }
  if (found === null) return text
  const place = found.path.length === 0 ? `the ${name}` : `${found.path.join('.')} of the ${name}`
  throw new InvalidDataError(`${place} is ${found.what}, which JSON cannot carry: convert it first`, { cause: found })
}

/**
 * Whether a value has exactly this JSON. An update by a function that returns the current data changes nothing, so it
 * needs no validation: a schema with a transform need not accept what it returns.
 */
export function hasJson(value: unknown, json: string): boolean {
  try {
    return findNotJson(value) === null && JSON.stringify(value) === JSON.stringify(JSON.parse(json))
  } catch {
    return false
  }
}

/**
 * The longest JWT payload, in bytes of its JSON. With a user id of ordinary length, the token still fits into a cookie
 * (CK-04). `TokenFormat.findLengthProblem` checks all other cases.
 */
export const MAX_PAYLOAD_BYTES = 2000

/** Rejects data whose JSON is too long. @throws InvalidDataError */
export function checkSize(name: string, text: string, maximum: number): void {
  const bytes = new TextEncoder().encode(text).length
  if (bytes > maximum) throw new InvalidDataError(`the ${name} is ${bytes} bytes long; at most ${maximum} are allowed`)
}

/** Creates the codecs of an application that uses the library's token format. */
export function createCodecs<Payload extends object, Info extends object>(
  { maxSessionInfoBytes }: Pick<SessionPolicy, 'maxSessionInfoBytes'>,
  schemas: {
    readonly payload?: StandardSchema<unknown, unknown>
    readonly info?: StandardSchema<unknown, unknown>
  },
): Codecs<Payload, Info> {
  return {
    payloads: createDataCodec({
      name: 'JWT payload',
      schema: schemas.payload,
      check: (payload, text) => {
        checkPayload(payload)
        checkSize('JWT payload', text, MAX_PAYLOAD_BYTES)
      },
    }),
    infos: createDataCodec({
      name: 'session info',
      schema: schemas.info,
      check: (_, text) => checkSize('session info', text, maxSessionInfoBytes),
    }),
    requireUserId,
  }
}
