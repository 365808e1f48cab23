import type { JsonObject } from '../base/json.ts'
import type { PageRequest } from '../session/store.ts'
import type { ConsoleCall } from '../transport/console-port.ts'
import type { RowFilter } from './describe-session.ts'
import type { Sampler } from './sampler.ts'
import type { ConsoleAccess, ConsoleSubject, Operator } from './subject.ts'

/** A request that was admitted, and matches the description of its operation. */
export interface OpenRequest {
  readonly subject: ConsoleSubject
  readonly access: ConsoleAccess
  readonly sampler: Sampler
  readonly call: ConsoleCall
  readonly parameters: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: JsonObject
}

/** The request of an operator. */
export interface ConsoleRequest extends OpenRequest {
  readonly operator: Operator
}

/** The page that the query asks for. */
export function requestedPage(query: URLSearchParams): PageRequest {
  return { limit: Number(query.get('limit') ?? 50), after: query.get('after') }
}

/** The sessions that the query asks for. An empty parameter counts as absent. */
export function filterOf(query: URLSearchParams): RowFilter {
  const text = (name: string): string | null => query.get(name)?.trim() || null
  return { tenantId: text('tenantId'), ip: text('ip'), userAgent: text('device') }
}
