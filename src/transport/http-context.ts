import type { Clock } from '../base/time.ts'
import type { SessionCore } from '../session/core.ts'
import type { HttpPolicy } from './http-policy.ts'

/** What the flows over HTTP share. */
export interface HttpContext<Payload extends object, Info extends object> {
  readonly core: SessionCore<Payload, Info>
  readonly policy: HttpPolicy
  readonly clock: Clock
}
