import type { Application } from '../application.ts'
import type { Reply } from '../http/reply.ts'
import type { Fields } from './fields.ts'
import type { DynamicApplications } from './dynamic-applications.ts'
import type { Protocol } from './protocol.ts'

/** A call of the core protocol that has passed every gate. */
export interface CdiRequest {
  readonly appId: string
  readonly app: Application
  /** The applications that callers have made; null where none can be made. */
  readonly madeApps: DynamicApplications | null
  /** Whether an application is served. */
  hasApp(appId: string): boolean
  /** Whether a tenant is served. */
  hasTenant(tenantId: string): boolean
  readonly protocol: Protocol
  /** The tenant of the path, `public` if it names none. */
  readonly tenantId: string
  readonly query: URLSearchParams
  /** Reads the body. @throws RejectedRequest if it is none of ours. */
  body(): Promise<Fields>
}

/** Answers one method of one path. @throws RejectedRequest, or SessionNotFoundError where the session is gone. */
export type CdiHandler = (request: CdiRequest) => Promise<Reply>

/** A path of the core protocol. */
export interface CdiEndpoint {
  /** `tenant`: the path may name one. `app`: the tenant follows from the session or does not matter. */
  readonly level: 'tenant' | 'app'
  readonly methods: Readonly<Record<string, CdiHandler>>
}
