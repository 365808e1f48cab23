import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startClockedProgram } from '../../support/clocked-program.ts'
import type { ClockedProgram } from '../../support/clocked-program.ts'
import { freePort } from '../../support/servers/workspace.ts'

/** The example application, running as a user would run it, but for its clock. */
export interface Example extends Pick<ClockedProgram, 'now' | 'pass'> {
  readonly origin: string
  /** What the example has printed. */
  output(): string
  /** Asks the example to exit and waits. Fails if it does not exit, or exits with an error. */
  stop(): Promise<void>
}

/** How long the example's access tokens live, in milliseconds. */
export const LIFETIME = 30_000

/** The example's environment variables, but for its port and its file. */
export interface ExampleSettings {
  readonly ANTI_CSRF?: 'origin' | 'custom-header' | 'token'
  readonly ALLOWED_ORIGIN?: string
}

const root = join(import.meta.dirname, '../../..')
const patience = 30_000
const running = new Set<ChildProcess>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts the example, from the built package, on an empty database. */
export async function startExample(settings: ExampleSettings): Promise<Example> {
  const directory = mkdtempSync(join(tmpdir(), 'keyturn-example-'))
  let output = ''
  let noteAddress = (_: string): void => undefined
  const address = new Promise<string>(resolve => noteAddress = resolve)
  const { child, now, pass } = startClockedProgram(['examples/express/server.mjs'], {
    cwd: root,
    env: { ...process.env, ...settings, PORT: String(await freePort()), DATABASE: join(directory, 'example.db') },
  }, text => {
    output += text
    const origin = /^Keyturn example: (\S+)$/m.exec(output)?.[1]
    if (origin !== undefined) noteAddress(origin)
  })
  running.add(child)
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child)
    rmSync(directory, { recursive: true, force: true })
    return `${signal ?? code}`
  })
  const origin = await Promise.race([
    address, ended.then(how => Promise.reject(new Error(`the example ended (${how}):\n${output}`))),
  ])
  return {
    origin,
    now,
    pass,
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
