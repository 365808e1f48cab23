// The programs of docs/start and of README, run as they stand there, except for their port; then what a reader types.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { consumer, run } from '../support/package/pack.ts'
import { runtimeProgram } from '../support/runtimes/install.ts'
import { serveWorker } from '../support/runtimes/workerd.ts'
import { installSamplePackages, linkSamplePackages, samplePackages } from '../support/sample-packages.ts'
import { blocksOf, readPage, samplesOf } from '../support/samples.ts'
import { freePort } from '../support/servers/workspace.ts'

const folder = join(consumer, 'start')
installSamplePackages()
beforeAll(() => linkSamplePackages(folder))

/** How the program of a page is started, in the page's folder. Null: what it needs is not installed. */
type Start = readonly [command: string, ...args: string[]] | null

const optional = (program: string | null, ...args: readonly string[]): Start => (
  program === null ? null : [program, ...args]
)

const programs: readonly (readonly [page: string, start: Start])[] = [
  ['README.md', ['node', 'server.mjs']],
  ['docs/index.md', ['node', 'server.mjs']],
  ['docs/start/express.md', ['node', 'server.ts']],
  ['docs/start/fastify.md', ['node', 'server.ts']],
  ['docs/start/hono.md', ['node', 'server.ts']],
  ['docs/start/koa.md', samplePackages() === null ? null : ['node', 'server.ts']],
  ['docs/start/node.md', ['node', 'server.ts']],
  ['docs/start/h3.md', ['node', 'server.ts']],
  ['docs/start/nest.md', ['node', 'out/src/main.js']],
  ['docs/start/spa.md', ['node', 'server.ts']],
  ['docs/start/bun.md', optional(runtimeProgram('bun'), 'server.ts')],
  ['docs/start/deno.md', optional(runtimeProgram('deno'), 'run', '-A', 'server.ts')],
]

interface Command {
  readonly command: string
  readonly printed: string
}

/** The commands under `## Try it`. Pages without them get those of Express, as far as they have the routes. */
function commandsOf(page: string): readonly Command[] {
  const tries = (from: string): string | undefined => blocksOf(readPage(from)).find(({ info }) => info === 'try')?.code
  const own = tries(page)
  const commands = (own ?? tries('docs/start/express.md') ?? '').trim().split('\n').map((line): Command => {
    const [command = '', printed = ''] = line.split(/ +# /)
    return { command, printed }
  })
  if (own !== undefined || page.includes('/start/')) return commands
  return commands.slice(0, 3).map(each => each.command.endsWith('/login') ? { ...each, printed: '{}' } : each)
}

/** Writes the modules of a page into a folder of their own. Returns it. */
function writeProgram(page: string, port: string): string {
  const own = join(folder, page.replaceAll(/[^\w]/g, '-'))
  rmSync(own, { recursive: true, force: true })
  for (const { file, code } of samplesOf(readPage(page))) {
    mkdirSync(dirname(join(own, file)), { recursive: true })
    writeFileSync(join(own, file), code.replaceAll('3000', port))
  }
  writeFileSync(join(own, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  return own
}

/** Runs a program until the test is over. Returns what it has printed. */
function runUntilEnd([command, ...args]: readonly [string, ...string[]], cwd: string): () => string {
  const env = { ...process.env, NODE_ENV: undefined, VITEST: undefined }
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  }
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return () => output
}

/** Types the commands of a page, and compares what they print. */
async function tryOut(page: string, port: string, cwd: string, output: () => string): Promise<void> {
  await expect.poll(() => fetch(`http://localhost:${port}/me`).then(({ status }) => status, output)).toBe(401)
  const commands = commandsOf(page)
  expect(commands.length).toBeGreaterThan(2)
  for (const { command, printed } of commands) {
    const { stdout } = spawnSync('bash', ['-c', command.replaceAll('3000', port)], { cwd, encoding: 'utf8' })
    expect(stdout, `${command}\n${output()}`).toBe(printed)
  }
}

test.for(programs)('%s runs, logs in, refreshes and revokes', async ([page, start], { skip }) => {
  if (start === null) return skip('its packages could not be installed')
  const port = String(await freePort())
  const own = writeProgram(page, port)
  if (page.endsWith('nest.md')) compileNest(own)
  await tryOut(page, port, own, runUntilEnd(start, own))
})

const workerd = runtimeProgram('workerd')

test.skipIf(workerd === null)('docs/start/workers.md runs, logs in, refreshes and revokes', async () => {
  const page = 'docs/start/workers.md'
  const own = writeProgram(page, '3000')
  const worker = await serveWorker(workerd ?? '', join(own, 'src/index.ts'), { worker: {} }, [])
  onTestFinished(() => worker.close())
  await tryOut(page, String(worker.ports.get('worker')), own, () => '')
})

test('docs/guides/websockets.md greets the user, and closes the socket with its session', async () => {
  const port = String(await freePort())
  const own = writeProgram('docs/guides/websockets.md', port)
  const output = runUntilEnd(['node', 'server.ts'], own)
  const origin = `http://localhost:${port}`
  await expect.poll(() => fetch(origin).then(() => 'listens', output)).toBe('listens')
  const post = (path: string, headers: Record<string, string> = {}): Promise<Response> => fetch(origin + path, {
    method: 'POST', headers: { origin, 'content-type': 'application/json', ...headers }, body: '{"userId":"ada"}',
  })
  const login = await post('/login')
  const cookie = login.headers.getSetCookie().map(line => line.split(';')[0]).join('; ')
  const socket = new WebSocket(`ws://localhost:${port}/socket`, { headers: { cookie, origin } })
  const closed = once(socket, 'close')
  const [greeting] = await once(socket, 'message')
  expect(String(greeting)).toBe('hello ada')
  expect(await (await post('/logout-everywhere', { cookie })).json()).toEqual({ revoked: 1 })
  expect((await closed)[0]).toBe(4401)
  const stranger = new WebSocket(`ws://localhost:${port}/socket`, { headers: { origin } })
  const [, response] = await once(stranger, 'unexpected-response')
  expect(response.statusCode).toBe(401)
  response.destroy()
})

/** Compiles the application for Nest as its own compiler does, with decorators. */
function compileNest(own: string): void {
  writeFileSync(join(own, 'tsconfig.json'), JSON.stringify({
    compilerOptions: {
      target: 'es2023', module: 'nodenext', moduleResolution: 'nodenext', types: ['node'], rootDir: '.', outDir: 'out',
      strict: true, skipLibCheck: true, experimentalDecorators: true, emitDecoratorMetadata: true,
    },
    include: ['src'],
  }))
  const { succeeded, output } = run('tsc', ['-p', '.'], own)
  expect(succeeded, output).toBe(true)
}
