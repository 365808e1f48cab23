import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { delimiter, dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { environmentFor, findProgram, requireProgram } from './programs.ts'
import { serverUser } from './workspace.ts'

/** How to start a server program. */
export interface Launch {
  readonly program: string
  readonly args: readonly string[]
  /** Its working folder and home. */
  readonly directory: string
  /** The line that it prints once it accepts connections. */
  readonly ready: RegExp
  /** The signal that stops it at once when its data is no longer needed, or when the test process dies first. */
  readonly abortSignal: 'SIGKILL' | 'SIGQUIT'
  /** A folder with programs that the server itself starts. */
  readonly helpers?: string
}

/** A running server. */
export interface ServerProcess {
  /** Resolves once a line of its output, past or future, matches. */
  printed(pattern: RegExp): Promise<void>
  /** Sends a signal and waits for its end. */
  end(signal: NodeJS.Signals): Promise<void>
  /** Ends it and all its children with SIGKILL, as a power cut does. */
  crash(): Promise<void>
}

const startLimit = 60_000
const logLimit = 64 * 1024
const alive = new Map<ChildProcess, NodeJS.Signals>()

// This runs before the folders are removed, which another listener does.
process.prependListener('exit', () => {
  for (const [child, signal] of alive) child.kill(signal)
})

/** Starts a server and waits until it accepts connections. If it does not, fails with the end of its log. */
export async function launch(options: Launch): Promise<ServerProcess> {
  const program = requireProgram(options.program)
  const [command, ...args] = guarded(program, options.args, options.abortSignal)
  const child = spawn(command, args, {
    cwd: options.directory,
    env: serverEnvironment(program, options.directory, options.helpers),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  alive.set(child, options.abortSignal)
  const log = new Log()
  child.stdout.setEncoding('utf8').on('data', (text: string) => log.append(text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => log.append(text))
  const ended = new Promise<void>((resolve) => {
    const end = (why: string): void => {
      alive.delete(child)
      log.close(`${options.program} ended (${why})`)
      resolve()
    }
    child.on('error', (error) => end(error.message))
    child.on('close', (code, signal) => end(`${signal ?? code}`))
  })

  const server: ServerProcess = {
    printed: (pattern) => log.waitFor(pattern, options.program),
    async end(signal) {
      child.kill(signal)
      await ended
    },
    async crash() {
      // Stopped first, so that it cannot start a new child between listing and killing them.
      child.kill('SIGSTOP')
      const family = [child.pid ?? 0, ...descendants(child.pid ?? 0)]
      for (const pid of family) kill(pid)
      await ended
      while (family.some(isRunning)) await sleep(5)
    },
  }
  try {
    await server.printed(options.ready)
  } catch (error) {
    await server.end('SIGKILL')
    throw error
  }
  return server
}

/** Runs a program to its end as the servers' user. If it fails, the error contains its output. */
export async function runProgram(program: string, args: readonly string[], directory: string): Promise<void> {
  const path = requireProgram(program)
  const [command, ...rest] = guarded(path, args, 'SIGKILL')
  const env = serverEnvironment(path, directory)
  await promisify(execFile)(command, rest, { cwd: directory, env, timeout: startLimit })
}

// The kernel itself ends the server when the process that started it dies, for whatever reason. A later change of user
// would clear that setting, so setpriv changes the user first, and the servers never do.
function guarded(program: string, args: readonly string[], abortSignal: NodeJS.Signals): [string, ...string[]] {
  const setpriv = findProgram('setpriv')
  if (setpriv === null) return [program, ...args]
  const identity = serverUser === null
    ? []
    : [`--reuid=${serverUser.uid}`, `--regid=${serverUser.gid}`, '--clear-groups', ...rightToReach(program)]
  return [setpriv, ...identity, '--pdeathsig', abortSignal.replace('SIG', ''), '--', program, ...args]
}

// The servers' user may have no access to the repository, below /root for instance. There it gets the capability to
// read what root can read, and no other. PostgreSQL uses access(2), which ignores such capabilities without the secure
// bit.
function rightToReach(program: string): readonly string[] {
  for (let folder = dirname(program); folder !== dirname(folder); folder = dirname(folder)) {
    const isOpenToAll = (statSync(folder).mode & 0o001) !== 0
    if (!isOpenToAll) {
      return ['--securebits=+no_setuid_fixup', '--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search']
    }
  }
  return []
}

function serverEnvironment(program: string, home: string, helpers?: string): NodeJS.ProcessEnv {
  const path = [helpers, process.env['PATH']].filter((each) => each !== undefined).join(delimiter)
  return { PATH: path, HOME: home, LC_ALL: 'C.UTF-8', TZ: 'UTC', ...environmentFor(program) }
}

function descendants(pid: number): number[] {
  let children: number[]
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
  return children.flatMap((child) => [child, ...descendants(child)])
}

// A process that has ended but is not yet reaped by init holds no file, port or lock any more.
function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

/** The newest output of a server, and the callers that wait for a text in it. */
class Log {
  #text = ''
  #end: string | null = null
  readonly #watchers = new Set<() => void>()

  append(text: string): void {
    this.#text = (this.#text + text).slice(-logLimit)
    for (const watch of this.#watchers) watch()
  }

  close(why: string): void {
    this.#end = why
    for (const watch of this.#watchers) watch()
  }

  waitFor(pattern: RegExp, program: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (problem: string | null): void => {
        clearTimeout(timer)
        this.#watchers.delete(watch)
        if (problem === null) resolve()
        else reject(new Error(`${problem}\n${this.#text.slice(-4000)}`))
      }
      const watch = (): void => {
        if (pattern.test(this.#text)) finish(null)
        else if (this.#end !== null) finish(this.#end)
      }
      const timer = setTimeout(() => finish(`${program} did not print ${pattern} in ${startLimit} ms`), startLimit)
      this.#watchers.add(watch)
      watch()
    })
  }
}
