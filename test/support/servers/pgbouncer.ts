import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startServer, type TestServer } from './server.ts'
import { createDirectory, freePort } from './workspace.ts'

/** Starts PgBouncer in transaction mode in front of a PostgreSQL server, for all its databases. */
export async function startPgbouncer(
  postgres: Pick<TestServer, 'port'>,
  settings: Readonly<Record<string, string>> = {},
): Promise<TestServer> {
  const directory = createDirectory()
  const port = await freePort()
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: `${port}`,
    unix_socket_dir: '',
    auth_type: 'any',
    pool_mode: 'transaction',
    ...settings,
  }
  const file = join(directory, 'pgbouncer.ini')
  writeFileSync(file, [
    '[databases]',
    `* = host=127.0.0.1 port=${postgres.port} user=postgres`,
    '[pgbouncer]',
    ...Object.entries(all).map(([name, value]) => `${name} = ${value}`),
    '',
  ].join('\n'), { mode: 0o644 })
  return startServer({
    program: 'pgbouncer',
    args: [file],
    directory,
    ready: /process up/,
    stopSignal: 'SIGTERM',
    abortSignal: 'SIGKILL',
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
  })
}
