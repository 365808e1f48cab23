/** A statement as `pg` takes it. */
export interface PostgresStatement {
  /** Prepares the statement on the server, under this name. */
  readonly name?: string
  readonly text: string
  readonly values?: unknown[]
}

/** What `pg` answers. */
export interface PostgresResult {
  readonly rows: unknown[]
  readonly rowCount: number | null
}

/** A connection that was taken out of a pool. */
export interface PostgresClient {
  query(statement: PostgresStatement): Promise<PostgresResult>
  on(event: 'notification' | 'error' | 'end', listener: () => void): unknown
  removeListener(event: 'error', listener: () => void): unknown
  /** Gives the connection back, or ends it. */
  release(destroy?: boolean): void
}

/** The part of a `pg` Pool that the store needs. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>
  on?(event: 'error', listener: () => void): unknown
  removeListener?(event: 'error', listener: () => void): unknown
  /** As the pool was configured; a pool of one connection has none to spare for listening. */
  readonly options?: { readonly max?: number | undefined }
}

/** A connection of its own for `LISTEN`. */
export interface PostgresListener {
  query(statement: PostgresStatement): Promise<PostgresResult>
  on(event: 'notification' | 'error' | 'end', listener: () => void): unknown
  /** The server process that was announced when the connection was made; a pooler announces one of its own making. */
  readonly announcedPid: number | null
  end(): void
}

/** What the driver knows as the process id of its server process; null for a driver that does not tell. */
export function announcedPid(client: object): number | null {
  const pid: unknown = 'processID' in client ? client.processID : null
  return typeof pid === 'number' ? pid : null
}
