import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createPostgresDatabase, startPostgres } from '../../test/support/servers/postgres.ts'
import { sumCalls } from './calls.ts'
import type { SteadyAnswer, SteadyOrder } from './steady-child.ts'

// Fleets that work steadily for two minutes, long enough for what a process does once a minute.

/** What a fleet called, in total. */
export interface SteadyFleet {
  readonly processes: number
  readonly seconds: number
  /** How often a process refreshes a session, per second. */
  readonly refreshesPerProcess: number
  readonly calls: Readonly<Record<string, number>>
  /** Sessions in the calls of `confirm`. */
  readonly confirmed: number
  /** Tokens whose signature was verified. */
  readonly unseen: number
  readonly verified: number
}

const FLEETS = [1, 2, 4]
const WARM_UP = 10_000
const WINDOW = 120_000

type Counts = Extract<SteadyAnswer, { readonly kind: 'count' }>

/** Measures all fleets at once, each on a database of its own. */
export async function measureSteadyFleets(): Promise<readonly SteadyFleet[]> {
  const server = await startPostgres({ durable: true })
  try {
    return await Promise.all(FLEETS.map(async processes => (
      measureFleet(await createPostgresDatabase(server.url, `fleet${processes}`), processes)
    )))
  } finally {
    await server.remove()
  }
}

async function measureFleet(url: string, processes: number): Promise<SteadyFleet> {
  const file = fileURLToPath(new URL('steady-child.ts', import.meta.url))
  const members = Array.from({ length: processes }, () => fork(file, [url], {
    execArgv: ['--conditions=keyturn-source'], env: { ...process.env, NODE_ENV: 'production' },
  }))
  for (const member of members) {
    // Each process verifies the tokens of all others.
    member.on('message', (answer: SteadyAnswer) => {
      if (answer.kind !== 'token') return
      for (const other of members) if (other !== member) send(other, answer)
    })
    member.once('exit', code => {
      if (code !== 0) throw new Error('a process of the fleet has ended')
    })
  }
  await pause(WARM_UP)
  await Promise.all(members.map(count))
  const start = performance.now()
  await pause(WINDOW)
  const counts = await Promise.all(members.map(count))
  const seconds = (performance.now() - start) / 1000
  for (const member of members) {
    member.removeAllListeners()
    member.disconnect()
  }
  const sum = (read: (counts: Counts) => number): number => counts.reduce((total, each) => total + read(each), 0)
  return {
    processes, seconds, refreshesPerProcess: 5,
    calls: sumCalls(counts.map(({ calls }) => calls)),
    confirmed: sum(({ confirmed }) => confirmed),
    unseen: sum(({ unseen }) => unseen),
    verified: sum(({ verified }) => verified),
  }
}

function send(member: ChildProcess, order: SteadyOrder): void {
  if (member.connected) member.send(order)
}

function count(member: ChildProcess): Promise<Counts> {
  return new Promise(resolve => {
    const take = (answer: SteadyAnswer): void => {
      if (answer.kind !== 'count') return
      member.off('message', take)
      resolve(answer)
    }
    member.on('message', take)
    send(member, { kind: 'count' })
  })
}
