import type { D1Database } from '../../../src/stores/d1.ts'
import type { DurableObjectNamespace } from '../../../src/stores/durable-object.ts'

/** What the workers of the tests are bound to. */
declare module 'cloudflare:workers' {
  export const env: {
    readonly DB: D1Database
    readonly SESSIONS: DurableObjectNamespace
    readonly TURSO_URL: string
    readonly HYPERDRIVE: { readonly connectionString: string }
  }
}
