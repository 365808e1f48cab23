import type { TestProject } from 'vitest/node'
import { startMariadb } from './mariadb.ts'
import { startMysql } from './mysql.ts'
import { startPgbouncer } from './pgbouncer.ts'
import { startPostgres } from './postgres.ts'
import { isStarted, type ServerName, softwareFor } from './engine.ts'
import { missingSoftware } from './programs.ts'
import { type ClusterNode, startRedisCluster } from './redis-cluster.ts'
import { startRedis } from './redis.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of a PostgreSQL server, or null if it is not installed. The same applies to the other servers. */
    readonly postgresUrl: string | null
    /** URL of a PgBouncer in transaction mode in front of that PostgreSQL server. */
    readonly pgbouncerUrl: string | null
    readonly mariadbUrl: string | null
    readonly mysqlUrl: string | null
    readonly redisUrl: string | null
    readonly valkeyUrl: string | null
    readonly redisClusterNodes: readonly ClusterNode[] | null
  }
}

interface Removable {
  remove(): Promise<void>
}

/** Starts one server of each kind for the project `stores`, concurrently. Returns the function that stops them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started: Removable[] = []
  const start = async <Server extends Removable>(
    name: ServerName,
    launch: () => Promise<Server>,
  ): Promise<Server | null> => {
    if (!isStarted(name)) return null
    if (missingSoftware([softwareFor(name)]).length > 0) {
      if (process.env['CI'] === 'true') throw new Error(`${name} is not installed, and CI=true skips nothing`)
      return null
    }
    const server = await launch()
    started.push(server)
    return server
  }
  const teardown = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.remove()))
  }

  const postgres = start('postgres', startPostgres)
  const outcomes = await Promise.allSettled([
    postgres.then((server) => project.provide('postgresUrl', server?.url ?? null)),
    postgres.then(async (primary) => {
      const pooler = primary === null ? null : await start('pgbouncer', () => startPgbouncer(primary))
      project.provide('pgbouncerUrl', pooler?.url ?? null)
    }),
    start('mariadb', startMariadb).then((server) => project.provide('mariadbUrl', server?.url ?? null)),
    start('mysql', startMysql).then((server) => project.provide('mysqlUrl', server?.url ?? null)),
    start('redis', startRedis).then((server) => project.provide('redisUrl', server?.url ?? null)),
    start('valkey', () => startRedis({}, 'valkey'))
      .then((server) => project.provide('valkeyUrl', server?.url ?? null)),
    start('redis', startRedisCluster)
      .then((cluster) => project.provide('redisClusterNodes', cluster?.nodes ?? null)),
  ])
  const failure = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failure !== undefined) {
    await teardown()
    throw failure.reason
  }
  return teardown
}
