import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Order, Report } from './caller.ts'

/** A `keyturn serve` in its own process. */
export interface Server {
  readonly url: string
  /** Its cost so far. */
  cost(): Cost
  end(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

export interface Cost {
  /** Milliseconds of CPU, of all its threads. */
  readonly cpu: number
  /** Mebibytes of memory. */
  readonly resident: number
}

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

// With a reuse interval, a refresh so soon after the last one would be answered with the same token and not written.
const alwaysRotating = ['--port', '0', '--reuse-interval', '0']

/** Starts the server as it is published, on a store. `flags` are Node's own. */
export async function startServer(
  store: string,
  flags: readonly string[] = [],
  own: readonly string[] = alwaysRotating,
): Promise<Server> {
  const settings = [store, ...own]
  const child = spawn(process.execPath, [...flags, program, 'serve', ...settings], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const url = await new Promise<string>((resolve, reject) => {
    let output = ''
    let isListening = false
    // Read the log that follows and ignore it: a full pipe would block the server.
    const listen = (chunk: unknown): void => {
      if (isListening) return
      output += String(chunk)
      const address = /^keyturn listens on (\S+)$/m.exec(output)?.[1]
      isListening = address !== undefined
      if (address !== undefined) resolve(address)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.on('exit', () => reject(new Error(`keyturn serve ended: ${output}`)))
  })
  return {
    url,
    cost: () => costOf(child.pid ?? 0),
    async end(signal = 'SIGTERM') {
      child.kill(signal)
      await once(child, 'exit')
    },
  }
}

/** Read from Linux's /proc, where a tick is 10 ms on every machine that matters here. */
function costOf(pid: number): Cost {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return { cpu: (Number(fields[11]) + Number(fields[12])) * 10, resident: Number(resident) / 1024 }
}

/** A client in its own process. */
export interface Client {
  run(order: Order): Promise<Report>
  end(): void
}

/** Starts a client that calls a server, with sessions of its own. */
export async function startClient(kind: string, url: string): Promise<Client> {
  const child = fork(fileURLToPath(new URL('client.ts', import.meta.url)), [kind, url])
  const ended = once(child, 'exit').then(() => { throw new Error(`the client ${kind} ended`) })
  // When the client is stopped as planned, nothing waits for this rejection.
  ended.catch(() => undefined)
  const answer = async (): Promise<unknown> => (await Promise.race([once(child, 'message'), ended]))[0]
  await answer()
  return {
    async run(order) {
      child.send(order)
      return await answer() as Report
    },
    end: () => void child.kill(),
  }
}
