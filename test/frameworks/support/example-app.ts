import { spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { AppVariant } from '../../../src/testing/framework-contract.ts'
import { startClockedProgram } from '../../support/clocked-program.ts'
import type { ClockedProgram } from '../../support/clocked-program.ts'
import type { RunningApp } from '../../support/serve-web.ts'
import { freePort } from '../../support/servers/workspace.ts'

/** An example application, running as a user would run it, but for its clock. */
export interface ExampleApp extends Pick<ClockedProgram, 'now' | 'pass'> {
  readonly port: number
  readonly origin: string
  output(): string
  stop(): Promise<void>
}

const root = join(import.meta.dirname, '../../..')
const contractApps = join(import.meta.dirname, '../apps')
const running = new Set<ChildProcess>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Compiles an example that has a `tsconfig.json` and no dependencies of its own. */
export function compileExample(name: string): void {
  run('tsc', ['-p', join('examples', name)], root)
}

/** Installs the dependencies of an example by its lock file, if needed, and builds it. */
export function prepareExample(name: string): void {
  installExample(name)
  run('npm', ['run', 'build'], join(root, 'examples', name))
}

/**
 * Builds an application of the framework contract in `test/frameworks/apps` with the dependencies of the example of the
 * same framework.
 */
export function prepareContractApp(name: string): void {
  installExample(name)
  const directory = join(contractApps, name)
  linkDependencies(join(root, 'examples', name, 'node_modules'), join(directory, 'node_modules'))
  run('npm', ['run', 'build'], directory)
}

/**
 * Builds an application of these files, with the dependencies of the example of the same framework and what else the
 * framework's own template would have. Returns its folder.
 */
export function prepareDocumentedApp(
  name: string,
  files: readonly { readonly file: string; readonly code: string }[],
  fromExample: readonly string[],
): string {
  installExample(name)
  const example = join(root, 'examples', name)
  const directory = join(root, '.cache/start', name)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  for (const file of ['package.json', 'tsconfig.json', ...fromExample]) {
    if (existsSync(join(example, file))) cpSync(join(example, file), join(directory, file), { recursive: true })
  }
  for (const { file, code } of files) {
    mkdirSync(dirname(join(directory, file)), { recursive: true })
    writeFileSync(join(directory, file), code)
  }
  linkDependencies(join(example, 'node_modules'), join(directory, 'node_modules'))
  run('npm', ['run', 'build'], directory)
  return directory
}

/** Links every package separately: SvelteKit generates a package of its own beside them, for each application. */
function linkDependencies(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to)
  for (const name of readdirSync(from)) if (!name.startsWith('$')) symlinkSync(join(from, name), join(to, name))
}

function installExample(name: string): void {
  installPackages(join(root, 'examples', name))
}

/**
 * Installs the packages that only the applications in this folder of `test/frameworks/apps` need. Returns the folder.
 */
export function installAppPackages(name: string): string {
  const directory = join(contractApps, name)
  installPackages(directory)
  return directory
}

function installPackages(directory: string): void {
  const record = join(directory, 'node_modules/.package-lock.json')
  if (!existsSync(record) || statSync(record).mtimeMs < statSync(join(directory, 'package-lock.json')).mtimeMs) {
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], directory)
  }
}

function run(command: string, parameters: readonly string[], cwd: string): void {
  const { status, stdout, stderr } = spawnSync(command, parameters, { cwd, env: environment, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${parameters.join(' ')} failed:\n${stdout}${stderr}`)
}

const environment = {
  ...process.env,
  PATH: [join(root, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(delimiter),
  NEXT_TELEMETRY_DISABLED: '1',
  // The test runner sets NODE_ENV, which a production build must not see.
  NODE_ENV: undefined,
}

/** Starts an example on an empty database, and waits until it answers requests. */
export function startExampleApp(
  name: string,
  parameters: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<ExampleApp> {
  return startApp(join(root, 'examples', name), parameters, settings)
}

/** Starts an application of the framework contract. */
export async function startContractApp(
  name: string,
  parameters: readonly string[],
  variant: AppVariant,
): Promise<RunningApp> {
  const { port, stop } = await startApp(join(contractApps, name), parameters, { VARIANT: variant })
  return { port, close: stop }
}

/** Runs Node in the directory of an application, and waits until it answers requests. */
export async function startApp(
  directory: string,
  parameters: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<ExampleApp> {
  const workplace = mkdtempSync(join(tmpdir(), 'keyturn-example-'))
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  let output = ''
  const { child, now, pass } = startClockedProgram(parameters, {
    cwd: directory,
    env: {
      ...environment,
      PATH: [join(directory, 'node_modules/.bin'), environment.PATH].join(delimiter),
      PORT: String(port),
      HOST: '127.0.0.1',
      ORIGIN: origin,
      DATABASE: join(workplace, 'example.db'),
      ...settings,
    },
  }, text => {
    output += text
  })
  running.add(child)
  let ended = false
  const end = once(child, 'close').then(() => {
    ended = true
    running.delete(child)
    rmSync(workplace, { recursive: true, force: true })
  })
  while (!await answers(port)) {
    if (ended) throw new Error(`the application in ${directory} ended:\n${output}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return {
    port,
    origin,
    now,
    pass,
    output: () => output,
    async stop() {
      child.kill('SIGTERM')
      await end
    },
  }
}

/** Whether the server answers a request: some servers listen before they can answer. */
function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const request = get({ host: '127.0.0.1', port, agent: false }, response => {
      response.destroy()
      resolve(true)
    })
    request.on('error', () => resolve(false))
  })
}
