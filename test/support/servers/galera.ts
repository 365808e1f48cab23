import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { createMariadbDatabase, startMariadb } from './mariadb.ts'
import { unpackedPrograms } from './programs.ts'
import type { TestServer } from './server.ts'
import { freePort } from './workspace.ts'

/** Two MariaDB servers of a Galera cluster, which both accept writes. */
export interface GaleraCluster {
  readonly nodes: readonly [TestServer, TestServer]
  /** Tells the second node, which has lost the first, that it is the cluster now. */
  goOnAlone(): Promise<void>
}

/** Starts the cluster, and waits until both nodes take writes. */
export async function startGalera(): Promise<GaleraCluster> {
  const provider = join(unpackedPrograms, 'galera/usr/lib/galera/libgalera_smm.so')
  const ports = [await freePort(), await freePort()]
  const addresses = ports.map(port => `127.0.0.1:${port}`)
  const start = async (index: number, members: readonly string[]): Promise<TestServer> => startMariadb({
    createsDatabase: false,
    settings: {
      'wsrep-on': 'ON',
      'wsrep-provider': provider,
      'wsrep-cluster-address': `gcomm://${members.join(',')}`,
      'wsrep-provider-options': [
        `gmcast.listen_addr=tcp://${addresses[index]}`, `ist.recv_addr=127.0.0.1:${await freePort()}`,
        // A dead node is noticed sooner than by default.
        'evs.keepalive_period=PT0.5S', 'evs.suspect_timeout=PT2S', 'evs.inactive_timeout=PT4S',
      ].join(';'),
      'wsrep-node-address': addresses[index] ?? '',
      // Both begin empty, so nothing has to be copied.
      'wsrep-sst-method': 'skip',
      'binlog-format': 'ROW',
      'innodb-autoinc-lock-mode': '2',
    },
  })
  // The address of a cluster that is not there yet makes a new one.
  const first = await start(0, [])
  const second = await start(1, [addresses[0] ?? ''])
  for (const { url } of [first, second]) await untilReady(url)
  await createMariadbDatabase(first.url, 'keyturn')
  return {
    nodes: [first, second],
    goOnAlone: () => run(second.url, 'SET GLOBAL wsrep_provider_options = \'pc.bootstrap=YES\''),
  }
}

async function untilReady(url: string): Promise<void> {
  for (;;) {
    const rows = await ask(url, 'SHOW STATUS LIKE \'wsrep_ready\'').catch(() => [])
    if (String(Object(rows[0]).Value) === 'ON') return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

async function run(url: string, statement: string): Promise<void> {
  await ask(url, statement)
}

async function ask(url: string, statement: string): Promise<readonly unknown[]> {
  // The database of the URL may not be there yet.
  const connection = await createConnection(new URL('/', url).href)
  try {
    const [rows] = await connection.query(statement)
    return Array.isArray(rows) ? rows : []
  } finally {
    await connection.end()
  }
}
