import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { freePort } from './servers/workspace.ts'

/** The folder of the Python package. */
export const pythonPackage: string = join(import.meta.dirname, '../../clients/python')

/** A Django project behind gunicorn. */
export interface DjangoProject {
  readonly origin: string
  readonly port: number
  output(): string
  stop(): Promise<void>
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts a project that uses the Python package: one process with threads. `environment` gets the project's origin. */
export async function startDjango(
  python: string,
  folder: string,
  environment: (origin: string) => Readonly<Record<string, string>>,
): Promise<DjangoProject> {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const options = ['--bind', `127.0.0.1:${port}`, '--threads', '16', '--graceful-timeout', '1', '--capture-output']
  const child = spawn(python, ['-u', '-m', 'gunicorn', ...options, 'wsgi:application'], {
    cwd: folder,
    env: {
      ...process.env, PYTHONPATH: join(pythonPackage, 'src'), PYTHONDONTWRITEBYTECODE: '1', ...environment(origin),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  const ended = once(child, 'exit').finally(() => running.delete(child))
  await new Promise<void>((resolve, reject) => {
    const listen = (chunk: unknown): void => {
      output += String(chunk)
      if (output.includes('Booting worker')) resolve()
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    void ended.then(() => reject(new Error(`Django ended: ${output.slice(-2000)}`)))
  })
  return {
    origin,
    port,
    output: () => output,
    async stop() {
      child.kill('SIGTERM')
      const limit = setTimeout(() => child.kill('SIGKILL'), 20_000)
      const [code]: (number | null)[] = await ended
      clearTimeout(limit)
      if (code !== 0) throw new Error(`Django ended with ${code}: ${output.slice(-2000)}`)
    },
  }
}
