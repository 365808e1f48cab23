/** A process of its own on a SQLite file: `race`, `first` or `churn`, then the file and this process's number. */
import { once } from 'node:events'
import { openSqliteStore } from '../../src/stores/sqlite.ts'
import { minute, sampleHandle, sampleNext, sampleNow, sampleRecord, sampleRotation } from '../../src/testing/samples.ts'

const [task, file = '', number = '0'] = process.argv.slice(2)

/** Writes to a pipe are synchronous on POSIX: what was said before a kill has been said. */
function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function startSignal(): Promise<void> {
  say('ready')
  await once(process.stdin, 'data')
  process.stdin.destroy()
}

/** Ten rotations of one session, from one hash. Says which of them won and what the row is afterwards. */
async function race(): Promise<void> {
  const store = openSqliteStore(file)
  await startSignal()
  const results = await Promise.all(Array.from({ length: 10 }, (_, index) =>
    store.rotate(sampleRotation({ next: sampleNext({ refreshHash: `child-${number}-${index}` }) }))))
  const won = results.flatMap(record => record === null ? [] : [record.refreshHash])
  say(JSON.stringify({ won, row: (await store.find(sampleHandle(1)))?.refreshHash }))
  await store.close()
}

/** Opens a file that nobody has opened before, and logs in at once. */
async function first(): Promise<void> {
  await startSignal()
  const store = openSqliteStore(file)
  await store.insert(sampleRecord({ handle: sampleHandle(Number(number)) }))
  await store.close()
  say('done')
}

/** Logs in, refreshes and revokes without end. Says before what it tries and after what was acknowledged. */
async function churn(): Promise<void> {
  const store = openSqliteStore(file)
  for (let session = Number(number); ; session++) {
    const handle = sampleHandle(session)
    await store.insert(sampleRecord({ handle }))
    say(`inserted ${session} 0`)
    for (let generation = 1; generation <= 3; generation++) {
      const next = sampleNext({ refreshHash: `hash-${generation}`, generation })
      await store.rotate(sampleRotation({ handle, expectedHash: `hash-${generation - 1}`, next }))
      say(`rotated ${session} ${generation}`)
    }
    if (session % 2 === 0) continue
    say(`removing ${session} 0`)
    await store.remove([handle], sampleNow + minute)
    say(`removed ${session} 0`)
  }
}

if (task === 'race') await race()
else if (task === 'first') await first()
else if (task === 'churn') await churn()
