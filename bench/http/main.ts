import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { machine } from '../support/machine.ts'
import { writeReport } from '../support/report.ts'
import { median } from '../verify/ratios.ts'
import type { Address, Work } from './child.ts'
import { loadGenerator } from './load.ts'
import type { Latency } from './load.ts'
import { routes } from './servers.ts'

const ROUNDS = 9
const SECONDS = 1
/** Before each slice: an idle server has thrown away what was compiled for requests, as none of them was alive. */
const WARM_UP_SECONDS = 1

interface Running {
  readonly name: string
  readonly process: ChildProcess
  readonly address: Address
}

/** One route in one round: microseconds of the server's CPU per request, and what clients saw. */
interface Round extends Latency {
  readonly cpu: number
  readonly requestsPerSecond: number
}

async function start(name: string): Promise<Running> {
  const child = fork(fileURLToPath(new URL('child.ts', import.meta.url)), [name], {
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [address] = await once(child, 'message') as [Address]
  return { name, process: child, address }
}

async function workOf({ process: child }: Running): Promise<Work> {
  child.send('work')
  const [work] = await once(child, 'message') as [Work]
  return work
}

/** Compares routes over HTTP by the CPU that their servers take for a request. */
export async function compareHttp(): Promise<void> {
  const { name: generator, load } = loadGenerator()
  const running: Running[] = []
  for (const name of Object.keys(routes)) running.push(await start(name))
  const rounds: Record<string, Round>[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const results: Record<string, Round> = {}
    for (const server of running) {
      await load(server.address, WARM_UP_SECONDS)
      const before = await workOf(server)
      const latency = await load(server.address, SECONDS)
      const after = await workOf(server)
      const requests = after.requests - before.requests
      results[server.name] = { ...latency, cpu: (after.cpu - before.cpu) / requests, requestsPerSecond: requests / SECONDS }
    }
    rounds.push(results)
  }
  for (const { process: child } of running) child.kill()
  report(generator, rounds)
}

function report(generator: string, rounds: readonly Readonly<Record<string, Round>>[]): void {
  const names = Object.keys(routes)
  const middle = (read: (round: Readonly<Record<string, Round>>) => number): number => median(rounds.map(read))
  const column = (name: string, key: keyof Round): number => middle(round => round[name]?.[key] ?? Number.NaN)
  const cpu = (round: Readonly<Record<string, Round>>, name: string): number => round[name]?.cpu ?? Number.NaN
  const node = middle(round => cpu(round, 'node:http + keyturn') / cpu(round, 'node:http'))
  const express = middle(round => (
    (cpu(round, 'express + keyturn') - cpu(round, 'express')) / (cpu(round, 'express + supertokens-node') - cpu(round, 'express'))
  ))
  const medians = Object.fromEntries(names.map(name => [name, {
    cpu: column(name, 'cpu'), requestsPerSecond: column(name, 'requestsPerSecond'), p50: column(name, 'p50'), p99: column(name, 'p99'),
  }]))
  writeReport('http', { machine: machine(), generator, rounds: ROUNDS, medians, ratios: { node, express } }, [
    '# Over HTTP',
    '',
    `Server and ${generator} (1 thread, 32 connections) share the machine; ${ROUNDS} alternating rounds of ${SECONDS} s, each after ${WARM_UP_SECONDS} s `
      + 'that warms up, medians; a GET of 50 bytes of JSON with a session in the cache. The CPU of the server per request is the number to trust. Repeat with `npm run bench -- http`.',
    '',
    machine(),
    '',
    '| promise, by the server\'s CPU per request | must | measured | |',
    '|---|--:|--:|---|',
    `| node:http + keyturn / the unprotected route | <= 1.20 | ${node.toFixed(2)} | ${node <= 1.2 ? 'reached' : '**missed**'} |`,
    `| express + keyturn / express + supertokens-node, each over the bare route | <= 0.10 | ${express.toFixed(3)} | `
      + `${express <= 0.1 ? 'reached' : '**missed**'} |`,
    '',
    '| route | server CPU, µs/request | over the bare route, µs | requests/s | p50, ms | p99, ms |',
    '|---|--:|--:|--:|--:|--:|',
    ...names.map(name => {
      const bare = name.split(' + ')[0] ?? name
      const over = middle(round => cpu(round, name) - cpu(round, bare))
      return `| ${name} | ${column(name, 'cpu').toFixed(1)} | ${over.toFixed(1)} | ${column(name, 'requestsPerSecond').toFixed(0)} `
        + `| ${column(name, 'p50').toFixed(2)} | ${column(name, 'p99').toFixed(2)} |`
    }),
  ])
}
