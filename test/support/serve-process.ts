import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A `keyturn serve` in a separate process. */
export interface ServeProcess {
  readonly url: string
  /** Everything that it wrote, to both streams. */
  output(): string
  /** Sends a signal and waits for the end. Resolves to the exit code, or to the signal that ended the process. */
  end(signal: NodeJS.Signals): Promise<number | string | null>
}

// A test that runs out of time must not leave its servers behind.
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

const main = join(import.meta.dirname, '../../src/cli/main.ts')

/**
 * Starts the program as a user does, in this folder, and waits until it prints its address. `early` sends it a signal
 * as soon as it has written a text.
 */
export async function serveProcess(
  directory: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  early: { readonly when: string; readonly send: NodeJS.Signals } | null = null,
): Promise<ServeProcess> {
  const child = spawn(process.execPath, ['--conditions=keyturn-source', main, 'serve', ...args], {
    cwd: directory, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  const ended = once(child, 'exit').finally(() => running.delete(child))
  const url = await new Promise<string>((resolve, reject) => {
    const listen = (chunk: unknown): void => {
      output += String(chunk)
      if (early !== null && output.includes(early.when)) child.kill(early.send)
      const address = /^keyturn listens on (\S+)$/m.exec(output)?.[1]
      if (address !== undefined) resolve(address)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    void ended.then(([code]) => reject(new Error(`keyturn serve ended with ${String(code)}: ${output.slice(-2000)}`)))
  })
  return {
    url,
    output: () => output,
    async end(signal) {
      child.kill(signal)
      const [code, endedBy]: (number | string | null)[] = await ended
      return code ?? endedBy ?? null
    },
  }
}
