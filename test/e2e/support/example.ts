import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../support/servers/workspace.ts'

/** The running example application, started as a user would start it. */
export interface Example {
  readonly origin: string
  /** What the example has printed. */
  output(): string
  /** Asks the example to exit and waits. Fails if it does not exit, or exits with an error. */
  stop(): Promise<void>
}

/** The example's environment variables, except for its port and its database file. */
export interface ExampleSettings {
  readonly ACCESS_TOKEN_VALIDITY?: string
  readonly ANTI_CSRF?: 'origin' | 'custom-header' | 'token'
  readonly ALLOWED_ORIGIN?: string
}

const root = join(import.meta.dirname, '../../..')
const patience = 10_000
const running = new Set<ChildProcess>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts the example, from the built package, on an empty database. */
export async function startExample(settings: ExampleSettings): Promise<Example> {
  const directory = mkdtempSync(join(tmpdir(), 'keyturn-example-'))
  const child = spawn(process.execPath, ['examples/express/server.mjs'], {
    cwd: root,
    env: { ...process.env, ...settings, PORT: String(await freePort()), DATABASE: join(directory, 'example.db') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child)
    rmSync(directory, { recursive: true, force: true })
    return `${signal ?? code}`
  })
  const origin = await new Promise<string>((resolve, reject) => {
    const hear = (text: string): void => {
      output += text
      const address = /^Keyturn example: (\S+)$/m.exec(output)?.[1]
      if (address !== undefined) resolve(address)
    }
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    void ended.then(how => reject(new Error(`the example ended (${how}):\n${output}`)))
  })
  return {
    origin,
    output: () => output,
    async stop() {
      child.kill('SIGTERM')
      const limit = setTimeout(() => child.kill('SIGKILL'), patience)
      const how = await ended
      clearTimeout(limit)
      if (how !== '0') throw new Error(`the example ended (${how}):\n${output}`)
    },
  }
}
