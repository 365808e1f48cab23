import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { join } from 'node:path'
import type { Milliseconds } from '../../../src/base/time.ts'
import type { Command, Measurement, Message, ProcessState } from './messages.ts'

/** A running process of the application. */
export interface Application {
  readonly pid: number
  readonly port: number
  /** Keeps the balancer's connections to it. */
  readonly agent: Agent
  /** Everything that it printed: nothing, if all is well. */
  output(): string
  advance(by: Milliseconds, settle: boolean): Promise<void>
  measure(): Promise<Measurement>
  state(): Promise<ProcessState>
  /** Asks it to stop, as a deployment does, and waits until it has ended. Returns its exit code or signal. */
  stop(): Promise<number | string | null>
}

export interface ApplicationSettings {
  readonly database: string
  readonly origin: string
  readonly secret: string
  readonly now: number
  readonly tokenCacheSize: number
}

// A test that runs out of time must not leave its processes behind.
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** How long a process may take to answer what it has accepted, and to end, on a busy machine. */
const STOP_LIMIT: Milliseconds = 60_000

const program = join(import.meta.dirname, 'process.ts')

/** Starts a process and waits until it has read the change log and listens. */
export async function startApplication(settings: ApplicationSettings): Promise<Application> {
  const child = spawn(process.execPath, ['--conditions=keyturn-source', '--expose-gc', program], {
    env: {
      PATH: process.env['PATH'],
      DAY_DATABASE: settings.database,
      DAY_ORIGIN: settings.origin,
      DAY_SECRET: settings.secret,
      DAY_NOW: `${settings.now}`,
      DAY_TOKEN_CACHE: `${settings.tokenCacheSize}`,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  running.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => {
    running.delete(child)
    for (const { reject } of waiting.values()) reject(new Error(`the process ended: ${output}`))
    return (code ?? signal ?? null) as number | string | null
  })
  const waiting = new Map<number, {
    readonly resolve: (answer: Measurement | ProcessState | null) => void
    readonly reject: (error: Error) => void
  }>()
  let questions = 0
  const ask = (command: Command): Promise<Measurement | ProcessState | null> => new Promise((resolve, reject) => {
    const id = ++questions
    waiting.set(id, { resolve, reject })
    child.send({ id, command })
  })
  const port = await new Promise<number>((resolve, reject) => {
    void ended.then(() => reject(new Error(`the process ended before it listened: ${output}`)))
    child.on('message', (message: Message) => {
      if (message.kind === 'listening') return resolve(message.port)
      waiting.get(message.id)?.resolve(message.answer)
      waiting.delete(message.id)
    })
  })
  const agent = new Agent({ keepAlive: true })
  return {
    pid: child.pid ?? 0,
    port,
    agent,
    output: () => output,
    advance: async (by, settle) => void await ask({ kind: 'advance', by, settle }),
    async measure() {
      const answer = await ask({ kind: 'measure' })
      if (answer === null || !('heap' in answer)) throw new Error('the process did not measure')
      return answer
    },
    async state() {
      const answer = await ask({ kind: 'state' })
      if (answer === null || !('events' in answer)) throw new Error('the process did not tell its state')
      return answer
    },
    async stop() {
      child.kill('SIGTERM')
      // If something keeps it alive, the test shall say so, and not wait for its own time limit.
      const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT)
      const code = await ended
      clearTimeout(limit)
      agent.destroy()
      return code
    },
  }
}
