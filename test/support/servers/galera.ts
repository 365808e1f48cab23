import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { createMariadbDatabase, type MariadbOptions, startMariadb } from './mariadb.ts'
import { unpackedPrograms } from './programs.ts'
import { runProgram } from './server-process.ts'
import type { TestServer } from './server.ts'
import { createDirectory, freePort } from './workspace.ts'

/** Two MariaDB servers of a Galera cluster, which both accept writes. */
export interface GaleraCluster {
  readonly nodes: readonly [TestServer, TestServer]
  /** Waits until the second node has lost the first, and tells it that it is the cluster now. */
  goOnAlone(): Promise<void>
}

/** Starts the cluster, and waits until both nodes take writes. */
export async function startGalera(): Promise<GaleraCluster> {
  const helpers = createDirectory()
  writeFileSync(join(helpers, 'wsrep_sst_nothing'), transferOfNothing(join(helpers, 'position')), { mode: 0o755 })
  const provider = join(unpackedPrograms, 'galera/usr/lib/galera/libgalera_smm.so')
  const ports = [await freePort(), await freePort()]
  const addresses = ports.map((port) => `127.0.0.1:${port}`)
  const start = async (index: number, options: MariadbOptions, members: readonly string[]): Promise<TestServer> => (
    startMariadb({
      ...options,
      createsDatabase: false,
      helpers,
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
        'wsrep-sst-method': 'nothing',
        'binlog-format': 'ROW',
        'innodb-autoinc-lock-mode': '2',
      },
    })
  )
  // The address of a cluster that is not there yet makes a new one.
  const first = await start(0, {}, [])
  // The second one begins with the first one's files, and so with its place in the cluster's history.
  await first.stop()
  await runProgram('cp', ['-R', join(first.directory, 'data'), helpers], helpers)
  const data = join(helpers, 'data')
  rmSync(join(data, 'gvwstate.dat'), { force: true })
  await first.restart()
  const second = await start(1, { data }, [addresses[0] ?? ''])
  for (const { url } of [first, second]) await untilStatus(url, 'wsrep_ready', 'ON')
  await createMariadbDatabase(first.url, 'keyturn')
  return {
    nodes: [first, second],
    async goOnAlone() {
      // Before it has noticed the death of the other one, the command would change nothing.
      await untilStatus(second.url, 'wsrep_cluster_status', 'non-Primary')
      await ask(second.url, 'SET GLOBAL wsrep_provider_options = \'pc.bootstrap=YES\'')
      await untilStatus(second.url, 'wsrep_ready', 'ON')
    },
  }
}

// Galera asks a program of this name for the transfer of a state. What the second node has not, the first one sends
// by itself, so all there is to do is to pass on from which position: `skip`, which does nothing either, keeps it from
// sending. https://galeracluster.com/documentation/html_docs/documentation/scriptable-sst.html
const transferOfNothing = (file: string): string => `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in --role) role=$2 ;; --address) address=$2 ;; --gtid) position=$2 ;; esac
  shift
done
if [ "$role" = donor ]; then
  echo "$position" > ${file}.new
  mv ${file}.new ${file}
  echo "done $position"
else
  echo "ready $address"
  until [ -s ${file} ]; do sleep 0.1; done
  cat ${file}
fi
`

async function untilStatus(url: string, name: string, value: string): Promise<void> {
  for (;;) {
    const rows = await ask(url, `SHOW STATUS LIKE '${name}'`).catch(() => [])
    if (String(Object(rows[0]).Value) === value) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
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
