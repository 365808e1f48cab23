import { protocolVersions } from '../../../src/server/cdi/protocol.ts'
import type { CoreBody, CoreServer } from '../core-server.ts'

/** A session in one version of CDI, from which a call of that version makes its request. */
export interface CdiSession {
  readonly core: CoreServer
  readonly version: string
  /** The response that created it, with an anti-CSRF token. */
  readonly created: CoreBody
  /** The response of its first refresh. */
  readonly refreshed: CoreBody
}

/** The versions in which something holds, first and last one included. Default: from the first to the last version. */
export interface Span {
  readonly since?: string
  readonly until?: string
}

/** When a field of a request is read. */
export interface Field {
  /** The versions in which a request without it gets 400. */
  readonly required?: Span
  /** The versions in which it may be left out. In all other versions, it is ignored. */
  readonly optional?: Span
}

/** One outcome of a call: the members of the body. */
export interface Outcome {
  /** The member `status`; null: the body has none. */
  readonly status: string | null
  /** All other members, and the versions that have them. */
  readonly members: Readonly<Record<string, Span>>
  /** What the request has instead of the fields of {@link CdiCall.request}. */
  readonly instead?: (session: CdiSession) => Fields | Promise<Fields>
}

/** The fields of a request, in its query or its body. */
export type Fields = Readonly<Record<string, unknown>>

/** A call of CDI that is served: what the documentation says of it, and how the tests check this in each version. */
export interface CdiCall {
  readonly method: string
  readonly path: string
  /** Distinguishes calls of one path by their fields. */
  readonly variant?: string
  readonly fields: Readonly<Record<string, Field>>
  /** A request with all fields of all versions. */
  readonly request: (session: CdiSession) => Fields
  /** The first one is that of {@link request}. */
  readonly outcomes: readonly [Outcome, ...Outcome[]]
  /** The HTTP status if the path names a tenant, by the version from which on it applies. */
  readonly withTenant: Readonly<Record<string, number>>
  /** The titles of further tests, in `test/server`. */
  readonly tests: readonly string[]
}

/** Every version. */
export const always: Span = {}

/** The name of a call in titles and in the documentation. */
export function nameOf({ method, path, variant }: CdiCall): string {
  return `${method} ${path}${variant === undefined ? '' : ` ${variant}`}`
}

/** Whether a version is in a span. */
export function isIn(version: string, { since, until }: Span): boolean {
  const place = placeOf(version)
  return (since === undefined || place >= placeOf(since)) && (until === undefined || place <= placeOf(until))
}

/** The names of a record whose spans have the version. */
export function namesIn(version: string, spans: Readonly<Record<string, Span | undefined>>): string[] {
  return Object.entries(spans).flatMap(([name, span]) => span !== undefined && isIn(version, span) ? [name] : [])
}

/** The value that applies to a version, of values that each apply from a version on. */
export function valueAt<T>(version: string, values: Readonly<Record<string, T>>): T {
  const found = Object.entries(values).filter(([since]) => isIn(version, { since })).at(-1)
  if (found === undefined) throw new Error(`nothing applies to version ${version}`)
  return found[1]
}

/** The names of the fields that a version requires, or that it reads if they are given. */
export function fieldsIn(version: string, { fields }: CdiCall, kind: keyof Field): string[] {
  return namesIn(version, Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field[kind]])))
}

function placeOf(version: string): number {
  const place = protocolVersions.indexOf(version)
  if (place === -1) throw new Error(`${version} is not a version that is served`)
  return place
}
