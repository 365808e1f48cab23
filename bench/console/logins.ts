// node bench/console/logins.ts FOLDER [store ...]: what a login costs beside the revision whose build is in FOLDER, in
// one run. Both sides use one server.
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startMariadb } from '../../test/support/servers/mariadb.ts'
import { startMysql } from '../../test/support/servers/mysql.ts'
import { startPostgres } from '../../test/support/servers/postgres.ts'
import { startRedis } from '../../test/support/servers/redis.ts'
import type { Task } from './child.ts'

const ROUNDS = Number(process.env['ROUNDS'] ?? 40)
const SLICE_MILLISECONDS = 150
/** Processes of one revision differ, so there are several of each. */
const PAIRS = Number(process.env['PAIRS'] ?? 3)
const [before = '', ...chosen] = process.argv.slice(2)
const after = fileURLToPath(new URL('../..', import.meta.url))

interface Place {
  readonly url: string
  remove(): Promise<void>
}

/** A folder for SQLite files. */
async function createFolder(): Promise<Place> {
  const url = mkdtempSync(join(tmpdir(), 'keyturn-bench-'))
  return { url, remove: async () => rmSync(url, { recursive: true }) }
}

const places: Readonly<Record<string, readonly [kind: string, start: () => Promise<Place>]>> = {
  memory: ['memory', createFolder],
  SQLite: ['sqlite', createFolder],
  PostgreSQL: ['postgres', () => startPostgres({ durable: true })],
  MariaDB: ['mysql', () => startMariadb({ durable: true })],
  MySQL: ['mysql', () => startMysql({ durable: true })],
  Redis: ['redis', () => startRedis()],
  Valkey: ['redis', () => startRedis({}, 'valkey')],
}

async function start(folder: string, side: string, kind: string, url: string): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('child.ts', import.meta.url)), [folder, side, kind, url], {
    env: { ...process.env, NODE_ENV: 'production' },
  })
  child.on('exit', code => {
    if (code !== null && code !== 0) throw new Error(`${side} has ended`)
  })
  await once(child, 'message')
  return child
}

async function ask(child: ChildProcess, task: Task): Promise<number> {
  child.send(task)
  const [result] = await once(child, 'message')
  return Number(result)
}

function quantile(numbers: readonly number[], share: number): number {
  return numbers.toSorted((left, right) => left - right)[Math.floor(numbers.length * share)] ?? Number.NaN
}

const tasks: readonly Task[] = (['insert', 'login'] as const).flatMap(operation => (
  [1, 16].map(lanes => ({ operation, lanes, milliseconds: SLICE_MILLISECONDS }))
))

const results: object[] = []
for (const [name, [kind, open]] of Object.entries(places)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue
  const place = await open()
  const measured = tasks.map(task => ({ task, before: new Array<number>(), after: new Array<number>() }))
  for (let pair = 0; pair < PAIRS; pair++) {
    const children = [
      await start(before, `before${pair}`, kind, place.url), await start(after, `after${pair}`, kind, place.url),
    ] as const
    for (let round = 0; round < ROUNDS; round++) {
      for (const each of measured) {
        const order = round % 2 === 0 ? [0, 1] as const : [1, 0] as const
        for (const side of order) each[side === 0 ? 'before' : 'after'].push(await ask(children[side], each.task))
      }
    }
    for (const child of children) {
      child.kill()
      await once(child, 'exit')
    }
  }
  for (const { task: { operation, lanes }, before: old, after: now } of measured) {
    const ratios = now.map((time, index) => time / (old[index] ?? Number.NaN))
    const row = {
      store: name, operation, lanes, before: quantile(old, 0.5), after: quantile(now, 0.5), ratio: quantile(ratios, 0.5),
      low: quantile(ratios, 0.25), high: quantile(ratios, 0.75),
      // A disturbance only ever adds time, so the quick slices say most of what the code costs.
      quick: quantile(now, 0.2) / quantile(old, 0.2),
    }
    results.push(row)
    console.log(`| ${name} | ${operation} | ${lanes} | ${row.before.toFixed(1)} | ${row.after.toFixed(1)} | ${row.ratio.toFixed(3)} `
      + `| ${row.low.toFixed(2)}-${row.high.toFixed(2)} | ${row.quick.toFixed(3)} |`)
  }
  await place.remove()
}
console.log(JSON.stringify(results))
process.exit(0)
