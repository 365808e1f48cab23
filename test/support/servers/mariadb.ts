import { dirname, join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { requireProgram } from './programs.ts'
import { runProgram } from './server-process.ts'
import { startServer, type TestServer } from './server.ts'
import { createDirectory, createSubdirectory, freePort } from './workspace.ts'

/** Options of a MariaDB server. */
export interface MariadbOptions {
  /** Whether a commit waits for the disk, as in production. Default: false, for speed. */
  readonly durable?: boolean
  /** Further server settings, by the name of their option. */
  readonly settings?: Readonly<Record<string, string>>
  /** Whether to create the database. Default: true. */
  readonly createsDatabase?: boolean
  /** The folder with the data of a stopped server, which this one goes on with. Default: a new one. */
  readonly data?: string
  /** A folder with programs that the server itself starts. */
  readonly helpers?: string
}

const notDurable = { 'innodb-flush-log-at-trx-commit': '0', 'innodb-flush-method': 'nosync' }

/** Starts a MariaDB server with an empty database `keyturn`; every local user is its `root`, without a password. */
export async function startMariadb(options: MariadbOptions = {}): Promise<TestServer> {
  const directory = createDirectory()
  const data = options.data ?? createSubdirectory(directory, 'data')
  const temporary = createSubdirectory(directory, 'tmp')
  const basedir = dirname(dirname(requireProgram('mariadbd')))
  if (options.data === undefined) {
    await runProgram('mariadb-install-db', [
      '--no-defaults',
      `--basedir=${basedir}`,
      `--datadir=${data}`,
      `--tmpdir=${temporary}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--skip-name-resolve',
    ], directory)
  }
  const port = await freePort()
  const settings = {
    basedir,
    datadir: data,
    tmpdir: temporary,
    socket: join(directory, 'socket'),
    'pid-file': join(directory, 'pid'),
    'bind-address': '127.0.0.1',
    port: `${port}`,
    'performance-schema': 'off',
    'innodb-buffer-pool-size': '64M',
    ...(options.durable === true ? {} : notDurable),
    ...options.settings,
  }
  const server = await startServer({
    program: 'mariadbd',
    args: [
      '--no-defaults',
      '--skip-name-resolve',
      '--skip-log-bin',
      ...Object.entries(settings).map(([key, value]) => `--${key}=${value}`),
    ],
    directory,
    ready: /ready for connections/,
    stopSignal: 'SIGTERM',
    abortSignal: 'SIGKILL',
    ...(options.helpers === undefined ? {} : { helpers: options.helpers }),
    url: `mysql://root@127.0.0.1:${port}/keyturn`,
    port,
  })
  if (options.createsDatabase !== false) await createMariadbDatabase(server.url, 'keyturn')
  return server
}

/** Creates an empty database on a MariaDB server, and returns its URL. */
export async function createMariadbDatabase(serverUrl: string, name: string): Promise<string> {
  const url = new URL(serverUrl)
  url.pathname = '/'
  const connection = await createConnection(url.href)
  try {
    await connection.query(`create database \`${name}\``)
  } finally {
    await connection.end()
  }
  url.pathname = `/${name}`
  return url.href
}
