/** The client of libSQL for Workers, which the package of the project does not list. */
declare module '@libsql/client/web' {
  import type { LibsqlClient } from 'keyturn/stores/libsql'

  export function createClient(config: Readonly<Record<string, unknown>>): LibsqlClient
}
