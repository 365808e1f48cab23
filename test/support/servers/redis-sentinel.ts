import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serverProgram } from './engine.ts'
import { startServer, type TestServer } from './server.ts'
import { createDirectory, freePort, serverUser } from './workspace.ts'

/** Starts a Sentinel that watches `primary` under the name `main`, and calls it down after 800 ms of silence. */
export async function startSentinel(primary: Pick<TestServer, 'port'>, quorum: number): Promise<TestServer> {
  const directory = createDirectory()
  const port = await freePort()
  // Sentinel keeps what it finds out in this file.
  const file = join(directory, 'sentinel.conf')
  writeFileSync(file, [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${directory}`,
    `sentinel monitor main 127.0.0.1 ${primary.port} ${quorum}`,
    'sentinel down-after-milliseconds main 800',
    'sentinel failover-timeout main 3000',
    '',
  ].join('\n'), { mode: 0o644 })
  if (serverUser !== null) chownSync(file, serverUser.uid, serverUser.gid)
  return startServer({
    program: serverProgram('redis'),
    args: [file, '--sentinel'],
    directory,
    ready: /\+monitor master main/,
    stopSignal: 'SIGTERM',
    abortSignal: 'SIGKILL',
    url: `redis://127.0.0.1:${port}`,
    port,
  })
}
