import type { Rule } from '../base/options.ts'
import type { SessionStore } from '../session/store.ts'
import type { MigrationResult } from './sql/migrations.ts'

/** How the tables or keys of an application are named, in a database that may hold those of others. */
export interface StoreNaming {
  /**
   * The prefix of the names of all tables or keys: a letter or `_`, then letters, digits, `_`; at most 31 characters
   * (in Redis 63, and `. : -` as well). Default: `keyturn_`, in Redis `keyturn:`.
   */
  readonly prefix?: string
  /** The schema of the tables, in PostgreSQL. Default: the first one of the connection's `search_path`. */
  readonly schema?: string
}

/** How a store is opened by its URL. */
export interface OpenStoreOptions extends StoreNaming {
  /**
   * Who creates and updates the tables. `manual`: you, with `npx keyturn migrate <url>`. `auto`: the store, at its
   * first use; the database user needs the privileges for that. Default: `manual`, but `auto` in SQLite.
   */
  readonly migrate?: 'auto' | 'manual'
  /**
   * The most connections in the pool that the store opens, in PostgreSQL and MySQL: from 1 to 1,000. Default: 10.
   */
  readonly poolSize?: number
}

/** What `inspect` found at a store's URL. */
export interface StoreState {
  /**
   * `ready`: it can be used. `missing`: Keyturn has no tables or keys there. `outdated`: the tables lack migrations.
   * `newer`: a newer version of Keyturn has migrated them.
   */
  readonly condition: 'ready' | 'missing' | 'outdated' | 'newer'
  /** What was looked for and where, for messages: `table keyturn_meta in the SQLite file app.db`. Never credentials. */
  readonly target: string
}

/** How the tables of a store are created and updated. */
export interface StoreMigrations {
  /**
   * Creates or updates the tables, and creates the file if the store is a file. Any number of processes may call it at
   * once.
   * @throws GeneralError (`MISUSE`) if a newer version of Keyturn has migrated the database, or the database user lacks
   * the privileges; (`STORE_UNAVAILABLE`).
   */
  apply(url: string, naming: StoreNaming): Promise<MigrationResult>
  /** The SQL that brings an empty database to the newest version. Connects to no database. */
  print(naming: StoreNaming): Promise<string>
}

/**
 * One kind of store that a URL can name: all that the library, the server and the command line know about it. It is
 * small; its methods load the store's code and driver when they are called.
 */
export interface StoreKind {
  /** Its name in code: `postgres`. */
  readonly name: string
  /** Its name in prose: `PostgreSQL`. */
  readonly title: string
  /** The schemes of its URLs, without the colon. No two kinds share one. */
  readonly schemes: readonly string[]
  /** A URL of it, for help texts and messages. */
  readonly example: string
  /** The value of `db.system.name` in traces, as defined by OpenTelemetry's semantic conventions for databases. */
  readonly system: string
  /**
   * Whether the store is a file, which only programs on the same machine can read. Other stores need encrypted keys.
   */
  readonly isFile: boolean
  /** The rule for a prefix. Its defaultValue is the prefix of an application that sets none. */
  readonly prefix: Rule<string, string>
  /** The rule for a schema; null if the store has no schemas. */
  readonly schema: Rule<string> | null
  /** Whether it opens a pool of connections, whose size can be set. */
  readonly hasPool: boolean
  /**
   * The prefix for another application with this id (`a-z`, `0-9`, `-`), beside the application that has `prefix`:
   * `keyturn_shop_` for `shop` beside `keyturn_`.
   */
  prefixFor(appId: string, prefix: string): string
  /**
   * Opens the store. With `migrate: 'manual'` it creates neither a file nor a table.
   * @throws GeneralError (`MISUSE`) if an option or the URL is invalid, or the driver is not installed. The message
   * never repeats the URL.
   */
  open(url: string, options: OpenStoreOptions): Promise<SessionStore>
  /**
   * Checks whether the store exists. It creates neither a file nor a table nor a key.
   * @throws GeneralError (`STORE_UNAVAILABLE`) if the database cannot be reached; (`MISUSE`) as `open` does.
   */
  inspect(url: string, naming: StoreNaming): Promise<StoreState>
  /** How its tables are created; null if it has none. */
  readonly migrations: StoreMigrations | null
}
