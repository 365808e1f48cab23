// What wrangler.jsonc binds: `npx wrangler types` writes a file like this one.
declare module 'cloudflare:workers' {
  export const env: {
    readonly DB: import('keyturn/stores/d1').D1Database
    readonly ORIGIN: string
    readonly SECRET: string
  }
}
