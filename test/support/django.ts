import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { freePort } from './servers/workspace.ts'

/** The folder of the Python package. */
export const pythonPackage: string = join(import.meta.dirname, '../../clients/python')

/** A Django project, and how to run it. */
export interface DjangoSetup {
  readonly python: string
  /** The folder of the project. */
  readonly folder: string
  /** The parameters of Python. */
  readonly command: (port: number) => readonly string[]
  /** The environment; `origin` is the project's. */
  readonly environment: (origin: string) => Readonly<Record<string, string>>
}

/** A Django project that runs. */
export interface DjangoProject {
  readonly origin: string
  readonly port: number
  /** What it has printed. */
  output(): string
  /** Asks it to stop, and waits. Fails if it does not end by itself. */
  stop(): Promise<void>
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** The parameters that run a project behind gunicorn: in one process with threads, unless `more` says otherwise. */
export function gunicorn(application: string, ...more: readonly string[]): DjangoSetup['command'] {
  const options = ['--threads', '16', '--graceful-timeout', '1', '--capture-output']
  return port => ['-u', '-m', 'gunicorn', '--bind', `127.0.0.1:${port}`, ...options, ...more, application]
}

/** The parameters that run a project behind Django's own server. */
export const runserver: DjangoSetup['command'] = port => (
  ['-u', 'manage.py', 'runserver', '--noreload', '--skip-checks', `127.0.0.1:${port}`]
)

/** Starts a project on a free port, with the Python package in the module path. */
export async function startDjango({ python, folder, command, environment }: DjangoSetup): Promise<DjangoProject> {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const child = spawn(python, command(port), {
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
      if (/Booting worker|Quit the server|CTRL\+C to quit/i.test(output)) resolve()
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
      const [code, signal]: (number | string | null)[] = await ended
      clearTimeout(limit)
      if (code !== 0 && signal !== 'SIGTERM') throw new Error(`Django ended with ${code}: ${output.slice(-2000)}`)
    },
  }
}
