import { join } from 'node:path'
import { Client } from 'pg'
import { runProgram } from './server-process.ts'
import { startServer, type TestServer } from './server.ts'
import { createDirectory, createSubdirectory, freePort } from './workspace.ts'

/** Options of a PostgreSQL server. */
export interface PostgresOptions {
  /** Whether a commit waits for the disk, as in production. Default: false, for speed. */
  readonly durable?: boolean
  /** Further server settings, by their name in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A PostgreSQL server that streams from another one. */
export interface PostgresReplica extends TestServer {
  /** Makes it a primary, and waits until it is. */
  promote(): Promise<void>
}

const notDurable = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }

/** Starts a PostgreSQL server with an empty database `postgres`; every local user is its superuser `postgres`. */
export async function startPostgres(options: PostgresOptions = {}): Promise<TestServer> {
  const directory = createDirectory()
  const args = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--no-instructions']
  await runProgram('initdb', ['-D', join(directory, 'data'), ...args], directory)
  return startOn(directory, options)
}

/** Starts a streaming replica of `primary`, which must run. */
export async function startPostgresReplica(
  primary: TestServer,
  options: PostgresOptions = {},
): Promise<PostgresReplica> {
  const directory = createDirectory()
  const args = ['-d', primary.url, '-R', '-X', 'stream', '-c', 'fast', '--no-sync']
  await runProgram('pg_basebackup', ['-D', join(directory, 'data'), ...args], directory)
  const replica = await startOn(directory, options)
  return {
    ...replica,
    async promote() {
      await query(replica.url, 'select pg_promote(true, 30)')
    },
  }
}

/** Creates an empty database on a PostgreSQL server, and returns its URL. */
export async function createPostgresDatabase(serverUrl: string, name: string): Promise<string> {
  await query(serverUrl, `create database "${name}"`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

async function startOn(directory: string, options: PostgresOptions): Promise<TestServer> {
  const port = await freePort()
  const settings = {
    listen_addresses: '127.0.0.1',
    port: `${port}`,
    unix_socket_directories: createSubdirectory(directory, 'sockets'),
    ...(options.durable === true ? {} : notDurable),
    ...options.settings,
  }
  return startServer({
    program: 'postgres',
    args: [
      '-D',
      join(directory, 'data'),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    directory,
    ready: /database system is ready to accept/,
    stopSignal: 'SIGINT',
    // The postmaster takes its children and its shared memory along, which SIGKILL would leave.
    abortSignal: 'SIGQUIT',
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
  })
}

async function query(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
