import { GeneralError, InvalidDataError } from '../base/errors.ts'
import { isJsonObject, parseJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'
import type { StandardSchema } from '../base/standard-schema.ts'
import { checkPayload } from '../tokens/access-token.ts'
import { requireUserId } from './identifiers.ts'
import type { SessionPolicy } from './policy.ts'

/** Converts one kind of application data to stored JSON and back. A schema validates and types it. */
export interface DataCodec<Value extends object> {
  /** Validates a value and converts it to a JSON string. @throws InvalidDataError that says what is invalid. */
  write(value: Value): Promise<string>
  /** Parses the result of {@link DataCodec.write}. @throws GeneralError (`STORE_UNAVAILABLE`) for any other string. */
  read(text: string): Value
  /** The data of a session if the login passes none: `{}`. @throws InvalidDataError if the schema rejects that. */
  empty(): Promise<string>
  /** Accepts a parsed value, of an access token with a valid signature. */
  accept(value: JsonObject): Value
}

/** Converts an application's data to stored JSON and back. */
export interface Codecs<Payload extends object, Info extends object> {
  readonly payloads: DataCodec<Payload>
  readonly infos: DataCodec<Info>
  /** Checks a user id, and returns it. @throws InvalidDataError */
  readonly requireUserId: (userId: unknown) => string
}

interface CodecOptions<Value extends object> {
  /** The name of the data in messages. */
  readonly name: string
  readonly schema: StandardSchema<Value> | undefined
  /** Makes further checks of the JSON; throws. */
  readonly check: (value: JsonObject, text: string) => void
}

/** Creates the codec of the JWT payload or of the session data. */
export function createDataCodec<Value extends object>(options: CodecOptions<Value>): DataCodec<Value> {
  const { name, schema, check } = options
  function accept(value: JsonObject): Value {
    if (isValue<Value>(value)) return value
    throw new GeneralError('STORE_UNAVAILABLE', `the ${name} is not a JSON object`)
  }
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
    read(text): Value {
      const value = parseJsonObject(text)
      if (value !== null) return accept(value)
      throw new GeneralError('STORE_UNAVAILABLE', `the ${name} in the store is not a JSON object`)
    },
    accept,
  }
}

/** The store holds only what `write` validated, so an object here is of the schema's type. */
function isValue<Value extends object>(value: unknown): value is Value {
  return isJsonObject(value)
}

async function validate<Value>(name: string, schema: StandardSchema<Value>, value: unknown): Promise<Value> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  const issues = result.issues.slice(0, 5).map(({ message, path }) => {
    const place = (path ?? []).map(part => String(typeof part === 'object' ? part.key : part)).join('.')
    return place === '' ? message : `${place}: ${message}`
  })
  throw new InvalidDataError(`the ${name} does not match its schema: ${issues.join('; ')}`)
}

function stringify(name: string, value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch (cause) {
    throw new InvalidDataError(`the ${name} cannot be written as JSON`, { cause })
  }
}

/**
 * The longest JWT payload, in bytes of its JSON. With a user id of ordinary length, the token still fits into a cookie
 * (CK-04). `TokenFormat.refusal` checks all other cases.
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
  schemas: { readonly payload?: StandardSchema<Payload>; readonly info?: StandardSchema<Info> },
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
