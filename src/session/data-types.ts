import type { Awaitable } from '../base/awaitable.ts'
import type { JsonValue } from '../base/json.ts'
import type { ReservedClaim } from '../tokens/access-token.ts'

// The types of the application's data: see docs/decisions/0018-schema-types.md.

declare const schemaTypes: unique symbol

/** Says what a schema accepts and returns. It exists for the compiler only. */
export interface SchemaMark<Input, Output> {
  readonly [schemaTypes]: { readonly input: Input; readonly output: Output }
}

/**
 * Stands for data whose schema accepts another type than it returns, such as one with defaults. {@link InputOf} and
 * {@link OutputOf} are the two types. It is also data of the output type.
 */
export type SchemaTypes<Input, Output extends object> = Output & SchemaMark<Input, Output>

/** The type of data where it enters: in a login and in updates. */
export type InputOf<Data> = Data extends SchemaMark<infer Input, unknown> ? Input : Data

/** The type of data where it is read. */
export type OutputOf<Data> = Data extends SchemaMark<unknown, infer Output extends object> ? Output : Data

/** The data of a schema: a plain type if the schema returns what it accepts. */
export type DataOf<Input, Output extends object> =
  [IsSame<Input, Output>] extends [true] ? Output : SchemaTypes<Input, Output>

type IsSame<One, Other> =
  (<Probe>() => Probe extends One ? 1 : 2) extends (<Probe>() => Probe extends Other ? 1 : 2) ? true : false

/** Computes new data from the current data. */
export type Compute<Current, Next> = (current: Current) => Awaitable<Next>

/** Computes new data from data of this type. */
export type ComputeOf<Data> = Compute<OutputOf<Data>, InputOf<Data>>

/** New data, or a function that computes it. */
export type Update<Data> = InputOf<Data> | ((current: OutputOf<Data>) => Awaitable<InputOf<Data>>)

/** New JWT payload, or a function that computes it, without reserved claims. */
export type UpdateOfPayload<Payload> =
  | PayloadInput<Payload>
  | ((current: OutputOf<Payload>) => Awaitable<PayloadInput<Payload>>)

/** A JWT payload where it enters: it has no reserved claims (TOK-23). */
export type PayloadInput<Payload> = InputOf<Payload> & WithoutReservedClaims<InputOf<Payload>>

/** Only a type with an index signature accepts a claim of any name. */
type WithoutReservedClaims<Payload> =
  string extends keyof Payload ? { readonly [Name in ReservedClaim]?: never } : unknown

/** Whether a login may leave the data out, because an empty object is valid. */
export type IsOptional<Data> = Record<never, never> extends InputOf<Data> ? true : false

/** An object with data under a name; the member is optional if an empty object is valid. */
export type DataMember<Name extends string, Data, Input = InputOf<Data>> =
  IsOptional<Data> extends true ? { readonly [Member in Name]?: Input } : { readonly [Member in Name]: Input }

/** The data as JSON carries it. What JSON cannot carry is `never`. */
export type AsJson<Data> =
  [Data] extends [JsonValue | undefined] ? Data
    : Data extends string | number | boolean | null | undefined ? Data
      : Data extends NotJson ? never
        : Data extends object ? { [Name in keyof Data]: Name extends symbol ? never : AsJson<Data[Name]> }
          : Data

type NotJson =
  | bigint | symbol | Date | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | ((...parameters: never) => unknown)

/** What `createSessions` demands of the output of its schemas: JSON. Otherwise, an option whose type says so. */
export type Storable<Payload extends object, Info extends object> =
  [Payload] extends [AsClaims<Payload>]
    ? [Info] extends [AsJson<Info>] ? unknown
      : { readonly info: 'The session info must be JSON: no Date, Map, Set, bigint, function or class instance.' }
    : { readonly payload: 'The JWT payload must be JSON, as the session info, and have no reserved claim such as sub.' }

type AsClaims<Payload> = { [Name in keyof Payload]: Name extends NamedClaim<Payload> ? never : AsJson<Payload[Name]> }

/** The reserved claims that a type names; a type with an index signature names none. */
type NamedClaim<Payload> = string extends keyof Payload ? never : ReservedClaim
