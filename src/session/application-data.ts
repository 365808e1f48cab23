import { GeneralError, InvalidDataError } from '../base/errors.ts'
import { isJsonObject, parseJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'
import type { StandardSchema } from '../base/standard-schema.ts'
import { checkPayload } from '../tokens/access-token.ts'
import { requireUserId } from './identifiers.ts'
import type { SessionPolicy } from './policy.ts'

/** How the application's data enters and leaves the store: validated and typed by one schema. */
export interface DataCodec<Value extends object> {
  /** Validates a value and writes it as JSON text. @throws InvalidDataError that says what does not fit. */
  write(value: Value): Promise<string>
  /** Reads what {@link DataCodec.write} wrote. @throws GeneralError (`STORE_UNAVAILABLE`) if it is something else. */
  read(text: string): Value
  /** What a session starts with if the login says nothing: `{}`, if the schema allows it. */
  empty(): Promise<string>
  /** Takes what was parsed already: from an access token that we signed. */
  accept(value: JsonObject): Value
}

/** How an application's data enters and leaves the store. */
export interface Codecs<Payload extends object, Info extends object> {
  readonly payloads: DataCodec<Payload>
  readonly infos: DataCodec<Info>
  /** Accepts a user id. @throws InvalidDataError */
  readonly requireUserId: (userId: unknown) => string
}

interface CodecOptions<Value extends object> {
  /** What to call the data in messages. */
  readonly name: string
  readonly schema: StandardSchema<Value> | undefined
  /** Further demands on the JSON; throws. */
  readonly check: (value: JsonObject, text: string) => void
}

/** Makes the codec of the JWT payload or of the session info. */
export function createDataCodec<Value extends object>(options: CodecOptions<Value>): DataCodec<Value> {
  const { name, schema, check } = options
  function accept(value: JsonObject): Value {
    if (isValue<Value>(value)) return value
    throw new GeneralError('STORE_UNAVAILABLE', `the ${name} is no JSON object`)
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
      throw new GeneralError('STORE_UNAVAILABLE', `the store holds a ${name} that is no JSON object`)
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
  throw new InvalidDataError(`the ${name} does not fit its schema: ${issues.join('; ')}`)
}

function stringify(name: string, value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch (cause) {
    throw new InvalidDataError(`the ${name} cannot be written as JSON`, { cause })
  }
}

/**
 * The longest JWT payload, in bytes of its JSON. With user ids of an ordinary length the token still fits a cookie
 * (CK-04); `TokenFormat.refusal` looks at the others.
 */
export const MAX_PAYLOAD_BYTES = 2000

/** Refuses data whose JSON is too long. @throws InvalidDataError */
export function checkSize(name: string, text: string, maximum: number): void {
  const bytes = new TextEncoder().encode(text).length
  if (bytes > maximum) throw new InvalidDataError(`the ${name} is ${bytes} bytes long, more than ${maximum}`)
}

/** How the data of an application with access tokens of the library's format enters and leaves the store. */
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
