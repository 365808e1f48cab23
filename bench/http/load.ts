import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import autocannon from 'autocannon'
import type { Address } from './child.ts'

const CONNECTIONS = 32

/** The 50th and 99th percentiles of the response time, in milliseconds. */
export interface Latency {
  readonly p50: number
  readonly p99: number
}

/** Sends requests to a server for some seconds, as fast as it answers. */
export type Load = (address: Address, seconds: number) => Promise<Latency>

/** wrk if it is installed, because it leaves more CPU to the server; otherwise autocannon. */
export function loadGenerator(): { readonly name: string; readonly load: Load } {
  return spawnSync('wrk', ['-v']).error === undefined
    ? { name: 'wrk', load: withWrk }
    : { name: 'autocannon', load: withAutocannon }
}

async function withWrk({ url, headers }: Address, seconds: number): Promise<Latency> {
  const lines = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const parameters = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency', ...lines, url]
  const { stdout } = await promisify(execFile)('wrk', parameters)
  const within = (percent: number): number => {
    const [, value = '', unit = ''] = new RegExp(`\\s${percent}%\\s+([\\d.]+)(us|ms|s)`).exec(stdout) ?? []
    return Number(value) * ({ us: 0.001, ms: 1, s: 1000 }[unit] ?? Number.NaN)
  }
  return { p50: within(50), p99: within(99) }
}

async function withAutocannon({ url, headers }: Address, seconds: number): Promise<Latency> {
  const { latency } = await autocannon({ url, headers, connections: CONNECTIONS, duration: seconds })
  return { p50: latency.p50, p99: latency.p99 }
}
