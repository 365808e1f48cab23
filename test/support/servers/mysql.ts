import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createMariadbDatabase } from './mariadb.ts'
import { requireProgram } from './programs.ts'
import { runProgram } from './server-process.ts'
import { startServer, type TestServer } from './server.ts'
import { createDirectory, createSubdirectory, freePort } from './workspace.ts'

/** Options of a MySQL server. */
export interface MysqlOptions {
  /** Whether a commit waits for the disk, as in production. Default: false, for speed. */
  readonly durable?: boolean
  /** Further server settings, by the name of their option. */
  readonly settings?: Readonly<Record<string, string>>
  /** Settings that count when the data folder is created, such as `lower-case-table-names`. */
  readonly initialSettings?: Readonly<Record<string, string>>
}

const notDurable = { 'innodb-flush-log-at-trx-commit': '0', 'innodb-flush-method': 'nosync' }

/** Starts a MySQL server with an empty database `keyturn`; every local user is its `root`, without a password. */
export async function startMysql(options: MysqlOptions = {}): Promise<TestServer> {
  const directory = createDirectory()
  const usr = dirname(dirname(requireProgram('mysqld')))
  // MySQL's own archives have its files in a folder less than Debian's packages.
  const [share = ''] = ['share/mysql', 'share'].map((folder) => join(usr, folder)).filter(existsSync)
  const port = await freePort()
  const basic = {
    // Debian's default names a folder that only an installed server has.
    'secure-file-priv': '',
    basedir: usr,
    datadir: createSubdirectory(directory, 'data'),
    tmpdir: createSubdirectory(directory, 'tmp'),
    'lc-messages-dir': share,
    'character-sets-dir': join(share, 'charsets'),
    'plugin-dir': join(usr, 'lib/mysql/plugin'),
    ...options.initialSettings,
  }
  // Nothing is lost if a folder is not on the disk yet. A busy disk would make this take a minute.
  const initial = { ...basic, ...notDurable, 'sync-binlog': '0' }
  await runProgram(
    'mysqld',
    ['--no-defaults', '--skip-log-bin', ...asArguments(initial), '--initialize-insecure'],
    directory,
  )
  const server = await startServer({
    program: 'mysqld',
    args: [
      '--no-defaults',
      '--skip-log-bin',
      ...asArguments({
        ...basic,
        socket: join(directory, 'socket'),
        'pid-file': join(directory, 'pid'),
        'bind-address': '127.0.0.1',
        port: `${port}`,
        mysqlx: 'off',
        'performance-schema': 'off',
        'innodb-buffer-pool-size': '64M',
        ...(options.durable === true ? {} : notDurable),
        ...options.settings,
      }),
    ],
    directory,
    ready: /ready for connections/,
    stopSignal: 'SIGTERM',
    abortSignal: 'SIGKILL',
    url: `mysql://root@127.0.0.1:${port}/keyturn`,
    port,
  })
  await createMariadbDatabase(server.url, 'keyturn')
  return server
}

function asArguments(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).map(([name, value]) => `--${name}=${value}`)
}
