import { serverProgram } from './engine.ts'
import { startServer, type TestServer } from './server.ts'
import { createDirectory, freePort } from './workspace.ts'

/** Redis settings by their name in redis.conf, for instance `{ appendonly: 'yes', appendfsync: 'always' }`. */
export type RedisSettings = Readonly<Record<string, string>>

/** Starts a Redis server that keeps its data in memory only, unless `settings` say otherwise. */
export async function startRedis(
  settings: RedisSettings = {},
  software: 'redis' | 'valkey' = 'redis',
): Promise<TestServer> {
  const directory = createDirectory()
  const port = settings['port'] === undefined ? await freePort() : Number(settings['port'])
  const all = {
    bind: '127.0.0.1',
    port: `${port}`,
    dir: directory,
    save: '',
    appendonly: 'no',
    // By default, the first copy to a replica waits five seconds for more replicas.
    'repl-diskless-sync-delay': '0',
    ...settings,
  }
  return startServer({
    program: serverProgram(software),
    args: Object.entries(all).flatMap(([name, value]) => [`--${name}`, ...(value === '' ? [''] : value.split(' '))]),
    directory,
    ready: /Ready to accept connections/,
    stopSignal: 'SIGTERM',
    abortSignal: 'SIGKILL',
    url: `redis://127.0.0.1:${port}`,
    port,
  })
}

/** Starts a replica of `primary`, and waits until it has a full copy. */
export async function startRedisReplica(primary: TestServer, settings: RedisSettings = {}): Promise<TestServer> {
  const replica = await startRedis({ ...settings, replicaof: `127.0.0.1 ${primary.port}` })
  await replica.printed(/sync: Finished with success/)
  return replica
}
