declare module 'cloudflare:workers' {
  /** The bindings that the samples of docs/serverless.md name. */
  export const env: {
    readonly ORIGIN: string
    readonly SECRET: string
    readonly DB: import('keyturn/stores/d1').D1Database
    readonly SESSIONS: import('keyturn/stores/durable-object').DurableObjectNamespace
    readonly HYPERDRIVE: { readonly connectionString: string }
  }
  export function waitUntil(work: Promise<unknown>): void
}
