import { inject } from 'vitest'
import { createMariadbDatabase, startMariadb } from './servers/mariadb.ts'
import { startMysql } from './servers/mysql.ts'
import type { TestServer } from './servers/server.ts'

/** How a test starts a server of its own. */
interface StartOptions {
  readonly durable?: boolean
  readonly settings?: Readonly<Record<string, string>>
}

/** An empty database on one of the two servers that the MySQL store runs on. */
export interface MysqlEngine {
  readonly name: 'MariaDB' | 'MySQL'
  /** Whether the server is installed. */
  readonly available: boolean
  /** The URL of the database. */
  readonly url: string
  /** Whether a rotation is one statement, and rotations of one tick share one. MySQL cannot do that. */
  readonly isMariadb: boolean
  /** Starts another server of this kind. */
  start(options?: StartOptions): Promise<TestServer>
}

/** Creates an empty database on MariaDB and one on MySQL, as far as they are installed. */
export async function mysqlEngines(database: string): Promise<readonly MysqlEngine[]> {
  const create = async (server: string | null): Promise<{ readonly available: boolean; readonly url: string }> => ({
    available: server !== null, url: server === null ? '' : await createMariadbDatabase(server, database),
  })
  return [
    { name: 'MariaDB', isMariadb: true, start: startMariadb, ...await create(inject('mariadbUrl')) },
    { name: 'MySQL', isMariadb: false, start: startMysql, ...await create(inject('mysqlUrl')) },
  ]
}

/** A table for FROM with the numbers from 1 to `count` in the column `seq`, on either server. */
export function numbersTo(count: number): string {
  const digits = '(SELECT 0 AS digit UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 '
    + 'UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)'
  const places = Array.from({ length: `${count}`.length }, (_, place) => place)
  const sum = places.map(place => `place_${place}.digit * ${10 ** place}`).join(' + ')
  const tables = places.map(place => `${digits} AS place_${place}`).join(', ')
  return `(SELECT * FROM (SELECT ${sum} + 1 AS seq FROM ${tables}) AS numbers WHERE seq <= ${count}) AS sequence`
}
