import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { machine } from '../support/machine.ts'
import { writeReport } from '../support/report.ts'
import { median } from '../verify/ratios.ts'
import type { Address, Work } from './child.ts'
import { loadGenerator } from './load.ts'
import type { Latency, Load } from './load.ts'

const ROUNDS = 9
const SECONDS = 2

/**
 * The routes that are measured in alternation; the first of each is the unprotected one. Only a few alternate, because
 * a server that is idle for long discards the code that was compiled for its requests.
 */
const comparisons: readonly (readonly [bare: string, ...others: string[]])[] = [
  ['node:http', 'node:http + keyturn'],
  ['node:http', 'node:http + fast-jwt, cache', 'node:http + jose', 'node:http + supertokens-node'],
  ['node:http', 'node:http + iron-session', 'node:http + better-auth, cookie cache'],
  ['express', 'express + keyturn', 'express + supertokens-node'],
  ['express', 'express + express-session, memory', 'express + express-session, Redis'],
  ['fastify', 'fastify + keyturn', 'fastify + @fastify/secure-session'],
]

interface Running {
  readonly name: string
  readonly process: ChildProcess
  readonly address: Address
}

/** One route in one round: microseconds of the server's CPU time per request, and the measurements of the client. */
interface Slice extends Latency {
  readonly cpu: number
  readonly requestsPerSecond: number
}

/** The routes of one comparison in one round. */
type Round = Readonly<Record<string, Slice>>

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

/** Compares routes over HTTP by the CPU time of their servers per request. */
export async function compareHttp(): Promise<void> {
  const { name: generator, load } = loadGenerator()
  const measured: (readonly Round[])[] = []
  for (const names of comparisons) measured.push(await compare(names, load))
  report(generator, measured)
}

async function compare(names: readonly string[], load: Load): Promise<readonly Round[]> {
  const running: Running[] = []
  for (const name of names) running.push(await start(name))
  for (const { address } of running) await load(address, SECONDS)
  const rounds: Round[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const results: Record<string, Slice> = {}
    for (const server of running) {
      const before = await workOf(server)
      const latency = await load(server.address, SECONDS)
      const after = await workOf(server)
      const requests = after.requests - before.requests
      results[server.name] = { ...latency, cpu: (after.cpu - before.cpu) / requests, requestsPerSecond: requests / SECONDS }
    }
    rounds.push(results)
  }
  for (const { process: child } of running) child.kill()
  return rounds
}

function report(generator: string, measured: readonly (readonly Round[])[]): void {
  const cpu = (round: Round, name: string): number => round[name]?.cpu ?? Number.NaN
  /** The median over the rounds of the first comparison that contains the route. */
  const middle = (name: string, read: (round: Round) => number): number => (
    median((measured[comparisons.findIndex(names => names.includes(name))] ?? []).map(read))
  )
  const names = [...new Set(comparisons.flat())]
  const node = middle('node:http + keyturn', round => cpu(round, 'node:http + keyturn') / cpu(round, 'node:http'))
  const express = middle('express + keyturn', round => (
    (cpu(round, 'express + keyturn') - cpu(round, 'express')) / (cpu(round, 'express + supertokens-node') - cpu(round, 'express'))
  ))
  const medians = Object.fromEntries(names.map(name => {
    const bare = name.split(' + ')[0] ?? name
    const column = (key: keyof Slice): number => middle(name, round => round[name]?.[key] ?? Number.NaN)
    return [name, {
      cpu: column('cpu'), over: middle(name, round => cpu(round, name) - cpu(round, bare)),
      requestsPerSecond: column('requestsPerSecond'), p50: column('p50'), p99: column('p99'),
    }]
  }))
  writeReport('http', { machine: machine(), generator, rounds: ROUNDS, medians, ratios: { node, express } }, [
    '# Over HTTP',
    '',
    `Server and ${generator} (1 thread, 32 connections) share the machine; a GET of 50 bytes of JSON with a session in the cache; ${ROUNDS} rounds `
      + `of ${SECONDS} s in which few routes alternate, medians. The CPU of the server per request is the number to trust. Repeat with \`npm run bench -- http\`.`,
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
    ...Object.entries(medians).map(([name, { cpu, over, requestsPerSecond, p50, p99 }]) => (
      `| ${name} | ${cpu.toFixed(1)} | ${over.toFixed(1)} | ${requestsPerSecond.toFixed(0)} | ${p50.toFixed(2)} | ${p99.toFixed(2)} |`
    )),
  ])
}
