import type { Rule } from '../base/options.ts'
import type { SessionStore } from '../session/store.ts'
import type { MigrationResult } from './sql/migrations.ts'

/** What the tables or keys of an application are called, in a database that may hold others. */
export interface StoreNaming {
  /**
   * What the names of all tables or keys begin with: a letter or `_`, then letters, digits, `_`; at most 31 (in Redis 63,
   * and `. : -` as well). Default: `keyturn_`, in Redis `keyturn:`.
   */
  readonly prefix?: string
  /** The schema of the tables, in PostgreSQL. Default: the first one of the connection's `search_path`. */
  readonly schema?: string
}

/** How a store is opened by its URL. */
export interface OpenStoreOptions extends StoreNaming {
  /**
   * Who makes and updates the tables: `manual` you, with `npx keyturn migrate <url>`; `auto` the store at its first
   * use, which the database user must be allowed to. Default: `manual`, but `auto` in SQLite.
   */
  readonly migrate?: 'auto' | 'manual'
}

/** What was found where a store should be. */
export interface StoreState {
  /**
   * `ready`: it can be used. `missing`: Keyturn has no tables or keys there. `outdated`: the tables lack migrations.
   * `newer`: a newer version of Keyturn has migrated them.
   */
  readonly condition: 'ready' | 'missing' | 'outdated' | 'newer'
  /** What was looked for and where, for messages: `table keyturn_meta in the SQLite file app.db`. Never credentials. */
  readonly sought: string
}

/** How the tables of a store are made and updated. */
export interface StoreMigrations {
  /**
   * Makes or updates the tables, and the file if the store is one. Any number of processes may do so at once.
   * @throws GeneralError (`MISUSE`) if a newer Keyturn has migrated them or the user may not; (`STORE_UNAVAILABLE`).
   */
  apply(url: string, naming: StoreNaming): Promise<MigrationResult>
  /** The SQL that brings an empty database to the newest version. Connects to none. */
  print(naming: StoreNaming): Promise<string>
}

/**
 * One kind of store that a URL can name: all that the library, the server and the command line know of it. It is small;
 * its methods load the store's code and its driver when they are called.
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
  /** The value of `db.system.name` in traces, as OpenTelemetry's semantic conventions for databases have it. */
  readonly system: string
  /** Whether it is a file, which only the programs of its machine can read: others want their keys encrypted. */
  readonly isFile: boolean
  /** What a prefix must be; its preset is the prefix of an application that chooses none. */
  readonly prefix: Rule<string, string>
  /** What a schema must be; null: it knows no schemas. */
  readonly schema: Rule<string> | null
  /**
   * The prefix of a further application, by its id (`a-z`, `0-9`, `-`), beside the one that has `prefix`: `keyturn_shop_`
   * for `shop` beside `keyturn_`.
   */
  prefixFor(appId: string, prefix: string): string
  /**
   * Opens the store. With `migrate: 'manual'` nothing is made: neither a file nor a table.
   * @throws GeneralError (`MISUSE`) for a wrong option or URL, which is never repeated, or a driver that is not installed.
   */
  open(url: string, options: OpenStoreOptions): Promise<SessionStore>
  /**
   * Looks whether the store is there, and makes nothing: neither a file nor a table nor a key.
   * @throws GeneralError (`STORE_UNAVAILABLE`) if the database cannot be asked; (`MISUSE`) as `open` does.
   */
  inspect(url: string, naming: StoreNaming): Promise<StoreState>
  /** How its tables are made; null: it has none. */
  readonly migrations: StoreMigrations | null
}
