import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A program of Node whose clock (`Date.now`) stands still until a test moves it. */
export interface ClockedProgram {
  readonly child: ChildProcess
  /** What its clock says. */
  now(): number
  /** Lets so many milliseconds pass for the program alone. */
  pass(milliseconds: number): Promise<void>
}

/** Starts it, with the parameters of `node`; `hear` receives what it prints. */
export function startClockedProgram(
  parameters: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
  hear: (text: string) => void,
): ClockedProgram {
  let now = Date.now()
  const child = spawn(process.execPath, ['--import', join(import.meta.dirname, 'own-clock.ts'), ...parameters], {
    cwd, env: { ...env, OWN_CLOCK: `${now}` }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', hear)
  return {
    child,
    now: () => now,
    async pass(milliseconds) {
      now += milliseconds
      const moved = once(child, 'message')
      child.send(milliseconds)
      await moved
    },
  }
}
