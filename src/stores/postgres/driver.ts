/** A statement, as `pg` accepts it. */
export interface PostgresStatement {
  /** Prepares the statement on the server, under this name. */
  readonly name?: string
  readonly text: string
  readonly values?: unknown[]
}

/** The result of a statement in `pg`. */
export interface PostgresResult {
  readonly rows: unknown[]
  readonly rowCount: number | null
}

/** A connection that was taken out of a pool. */
export interface PostgresClient {
  query(statement: PostgresStatement): Promise<PostgresResult>
  /**
   * Runs statements in one transaction, where the connection keeps nothing from one query to the next. Without it, the
   * store sends `BEGIN` and `COMMIT`.
   */
  batch?(statements: readonly PostgresStatement[]): Promise<readonly PostgresResult[]>
  /**
   * Runs work in one transaction, where others use the same session: their statements wait for its end. Without it, the
   * store sends `BEGIN` and `COMMIT`.
   */
  transaction?<T>(work: (transaction: Pick<PostgresClient, 'query'>) => Promise<T>): Promise<T>
  on(event: 'notification' | 'error' | 'end', listener: () => void): unknown
  removeListener(event: 'error', listener: () => void): unknown
  /** Returns the connection to the pool, or closes it. */
  release(destroy?: boolean): void
}

/** The part of a `pg` Pool that the store needs. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>
  on?(event: 'error', listener: () => void): unknown
  removeListener?(event: 'error', listener: () => void): unknown
  /** How many of its connections are open and not in use. */
  readonly idleCount?: number
  /** The options that the pool was created with: a pool of one connection has none to spare for listening. */
  readonly options?: { readonly max?: number | undefined }
  /** Whether its connections pass on notifications. Default: true. If not, the head of the log is polled. */
  readonly notifies?: boolean
}

/** A separate connection for `LISTEN`. */
export interface PostgresListener {
  query(statement: PostgresStatement): Promise<PostgresResult>
  on(event: 'notification' | 'error' | 'end', listener: () => void): unknown
  /** The server process that was announced when the connection was opened. A pooler announces a made-up one. */
  readonly announcedPid: number | null
  end(): void
}

/** The socket of a connection of `pg`, as far as the driver shows it. */
export function socketOf(client: object): unknown {
  const connection: unknown = Reflect.get(client, 'connection')
  return typeof connection === 'object' && connection !== null ? Reflect.get(connection, 'stream') : null
}

/** The process id of the server process, as the driver knows it; null if the driver does not provide it. */
export function announcedPid(client: object): number | null {
  const pid: unknown = 'processID' in client ? client.processID : null
  return typeof pid === 'number' ? pid : null
}
