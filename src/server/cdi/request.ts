import type { Application } from '../application.ts'
import type { Reply } from '../http/reply.ts'
import type { Fields } from './fields.ts'
import type { DynamicApplications } from './dynamic-applications.ts'
import type { Protocol } from './protocol.ts'

/** A request of CDI that has passed all checks. */
export interface CdiRequest {
  readonly appId: string
  readonly app: Application
  /** Creates applications on demand; null if the server does not allow that. */
  readonly dynamicApplications: DynamicApplications | null
  /** Whether an application is served. */
  hasApp(appId: string): boolean
  /** Whether a tenant is served. */
  hasTenant(tenantId: string): boolean
  readonly protocol: Protocol
  /** The tenant that the path names, or `public`. */
  readonly tenantId: string
  readonly query: URLSearchParams
  /** Reads the body. @throws RejectedRequest if it is not a valid JSON object. */
  body(): Promise<Fields>
}

/** Answers one method of one path. @throws RejectedRequest; SessionNotFoundError if the session does not exist. */
export type CdiHandler = (request: CdiRequest) => Promise<Reply>

/** A path of CDI. */
export interface CdiEndpoint {
  /**
   * The version from which on only the public tenant has the path; null: a path may name any tenant, in every version.
   */
  readonly publicOnlySince: string | null
  /** Whether it also answers for tenants that are not served. */
  readonly knowsAllTenants?: boolean
  readonly methods: Readonly<Record<string, CdiHandler>>
}
