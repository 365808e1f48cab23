// The commands, the SQL and the configuration of docs/production.md, run as they stand on that page.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest'
import { createPostgresStore, migratePostgres } from '../../src/stores/postgres.ts'
import { keyturn } from '../support/command-line.ts'
import type { HttpClient } from '../support/http-client.ts'
import { createPostgresDatabase } from '../support/servers/postgres.ts'
import { freePort } from '../support/servers/workspace.ts'
import { ORIGIN, REFRESH, SAME_ORIGIN, startSessionServer } from '../support/session-server.ts'

const postgres = inject('postgresUrl')
const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/production.md'), 'utf8')
const [handbook = ''] = page.split('## The incident handbook\n').slice(1)
const SECRET = 'the secret of the application in production'

const folder = mkdtempSync(join(tmpdir(), 'keyturn-production-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What is under a heading of the handbook. */
const sectionOf = (heading: string): string => (
  handbook.split(/^## /m).find(text => text.startsWith(`${heading}\n`)) ?? ''
)

/** The code of a section in one language. */
const blocksOf = (section: string, language: string): string[] => (
  [...section.matchAll(new RegExp(`^ *\`\`\`${language}\\n([^]*?)^ *\`\`\`$`, 'gm'))].map(([, code = '']) => code)
)

interface Command {
  readonly args: readonly string[]
  /** The exit code that the page states. */
  readonly code: number
}

function commandsOf(heading: string): readonly Command[] {
  const lines = blocksOf(sectionOf(heading), 'sh').join('').split('\n')
  return lines.filter(line => line.includes('npx keyturn')).map(line => {
    const [command = '', comment = ''] = line.split(' #')
    return { args: command.trim().split(/\s+/).slice(2), code: /exit code 1/.test(comment) ? 1 : 0 }
  })
}

/** An application on a database of its own, with one user who has logged in. */
interface Situation {
  readonly url: string
  readonly ada: HttpClient
  readonly handle: string
  logIn(userId: string): Promise<{ readonly client: HttpClient; readonly handle: string }>
  visit(client: HttpClient): Promise<number>
  refresh(client: HttpClient): Promise<number>
  /** Runs the next command of the section, with these values; it must end as the page says. Returns what it printed. */
  run(values?: Readonly<Record<string, string>>): Promise<string>
  /** How many commands of the section have not run. */
  left(): number
}

let databases = 0

async function begin(heading: string): Promise<Situation> {
  const url = await createPostgresDatabase(postgres ?? '', `production_${++databases}`)
  await migratePostgres(url)
  const app = await startSessionServer({
    store: createPostgresStore(url),
    secret: SECRET,
    clock: Date.now,
    schedule(task, delay) {
      const timer = setTimeout(task, delay)
      return () => clearTimeout(timer)
    },
  })
  vi.stubEnv('KEYTURN_SECRET', SECRET)
  vi.stubEnv('KEYTURN_STORE', url)
  onTestFinished(async () => {
    vi.unstubAllEnvs()
    await app.close()
  })
  const commands = [...commandsOf(heading)]
  const logIn = async (userId: string): Promise<{ client: HttpClient; handle: string }> => {
    const client = app.client()
    const { status, body } = await client.send('POST', '/login', { headers: SAME_ORIGIN, body: { userId } })
    expect(status).toBe(200)
    return { client, handle: (JSON.parse(body) as { handle: string }).handle }
  }
  const { client: ada, handle } = await logIn('ada')
  return {
    url, ada, handle, logIn,
    visit: async client => (await client.send('GET', '/me')).status,
    refresh: async client => (await client.send('POST', REFRESH, { headers: SAME_ORIGIN })).status,
    async run(values = {}) {
      const command = commands.shift()
      const args = command?.args.map(word => ({ USER: 'ada', HANDLE: handle, ...values })[word] ?? word) ?? []
      const { code, out, error } = await keyturn(...args)
      expect([args.join(' '), code, code === command?.code ? '' : error]).toEqual([args.join(' '), command?.code, ''])
      return `${out}\n${error}`
    },
    left: () => commands.length,
  }
}

const kidOf = (listed: string, purpose: string): string => (
  new RegExp(`^(\\S+) +${purpose} `, 'm').exec(listed)?.[1] ?? ''
)

/** Each situation of the handbook, and what an operator sees when running its commands in their order. */
const situations: Readonly<Record<string, (situation: Situation) => Promise<void>>> = {
  'The store is down': async ({ run, url, visit, ada }) => {
    vi.stubEnv('KEYTURN_STORE', `postgres://postgres@127.0.0.1:${await freePort()}/postgres`)
    expect(await run()).toContain('WRONG  store')
    vi.stubEnv('KEYTURN_STORE', url)
    expect(await run()).not.toContain('WRONG')
    expect(await visit(ada)).toBe(200)
  },
  'The feed lags': async ({ run, url, visit, ada, handle }) => {
    expect(await run()).toContain('fine   clock')
    const client = new Client({ connectionString: url })
    await client.connect()
    for (const sql of blocksOf(sectionOf('The feed lags'), 'sql')) await client.query(sql)
    await client.query('ALTER ROLE CURRENT_USER RESET idle_in_transaction_session_timeout')
    await client.end()
    expect(await run()).toContain(handle)
    expect(await run()).toContain('Revoked 1 session.')
    await expect.poll(() => visit(ada)).toBe(401)
  },
  'Thefts rise': async ({ run, handle, logIn, refresh }) => {
    expect(await run()).toContain(handle)
    await run()
    expect(await run()).toContain('Revoked 1 session.')
    const other = await logIn('grace')
    const tokens = other.client.jar.map(({ value }) => value)
    writeFileSync(join(folder, 'access.log'), `GET /me 200 cookie="${tokens.join('; ')}"`)
    expect(await run({ 'access.log': join(folder, 'access.log') })).toContain('Revoked 1 session.')
    expect(await refresh(other.client)).toBe(401)
    expect(await run()).toContain('no active session')
  },
  'Keys do not rotate': async ({ run, visit, ada }) => {
    expect(await run()).not.toContain('pending')
    await run()
    expect(await run()).toContain('(access)')
    expect(await run()).toContain('pending')
    expect(await visit(ada)).toBe(200)
  },
  'Everybody must log in again': async ({ run, visit, refresh, ada, logIn }) => {
    const before = await run()
    expect(before).toContain('secret 1')
    await run()
    await expect.poll(() => visit(ada)).toBe(401)
    expect(await refresh(ada)).toBe(401)
    expect(await run()).not.toContain(kidOf(before, 'access'))
    expect(await run()).toContain('no active session')
    expect(await visit((await logIn('ada')).client)).toBe(200)
  },
  'A key was leaked': async ({ run, visit, refresh, ada }) => {
    const kid = kidOf(await run(), 'access')
    await run({ KID: kid })
    await expect.poll(() => visit(ada)).toBe(401)
    expect([await refresh(ada), await visit(ada)]).toEqual([200, 200])
    expect(await run()).toContain('(refresh)')
    expect(await run()).not.toContain(kid)
  },
  'A backup was restored': async ({ run, logIn, refresh }) => {
    expect(await run()).toContain('up to date')
    for (let command = 0; command < 3; command++) await run()
    const [alan, ada] = [await logIn('alan'), await logIn('ada')]
    const line = JSON.stringify({ event: 'sessions revoked', handles: [alan.handle], reason: 'revoked' })
    writeFileSync(join(folder, 'revoked.log'), `${line}\n`)
    expect(await run({ 'revoked.log': join(folder, 'revoked.log') })).toContain('Revoked 1 session.')
    expect(await run()).toContain('Revoked 1 session.')
    expect([await refresh(alan.client), await refresh(ada.client)]).toEqual([401, 401])
    expect(await run({ HANDLE: ada.handle })).toContain('no active session with this handle')
  },
  'Users are logged out and should not be': async ({ run, ada, handle }) => {
    expect(await run()).toContain(handle)
    const cookies = ada.jar.map(({ name, value }) => `${name}=${value}`).join('; ')
    writeFileSync(join(folder, 'request.txt'), `GET /me HTTP/1.1\nhost: ${new URL(ORIGIN).host}\ncookie: ${cookies}\n`)
    expect(await run({ 'request.txt': join(folder, 'request.txt') })).not.toContain('WRONG')
    expect(await run()).toContain('ada')
  },
}

describe.skipIf(postgres === null)('OPS-02: the handbook', () => {
  test('has the situations that alerts refer to, each with what to see, to look at, to do and to verify', () => {
    const headings = [...handbook.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading)
    expect(headings).toEqual(Object.keys(situations))
    for (const heading of headings) {
      const steps = sectionOf(heading).matchAll(/^\*\*(What you see|Look at|Do|Verify)\.\*\*/gm)
      expect([...steps].map(([, step]) => step), heading).toEqual(['What you see', 'Look at', 'Do', 'Verify'])
    }
  })

  test.each(Object.keys(situations))('%s: its commands do what it says', async heading => {
    const situation = await begin(heading)
    await situations[heading]?.(situation)
    expect(situation.left(), 'commands that were not run').toBe(0)
  })

  test('a deployment migrates with the commands of the page', async () => {
    const url = await createPostgresDatabase(postgres ?? '', 'production_upgrade')
    vi.stubEnv('KEYTURN_STORE', url)
    onTestFinished(() => void vi.unstubAllEnvs())
    const [, upgrades = ''] = page.split('## Upgrades\n')
    const [block = ''] = blocksOf(upgrades, 'sh')
    const commands = block.trim().split('\n').map(line => line.split(' #')[0]?.trim().split(/\s+/).slice(2) ?? [])
    expect(commands).toEqual([['migrate', '--print'], ['migrate']])
    for (const [index, args] of commands.entries()) {
      const { code, out } = await keyturn(...args)
      expect([code, out]).toEqual([0, expect.stringContaining(index === 0 ? 'CREATE TABLE' : 'from version 0')])
    }
  })
})

test.skipIf(postgres === null)('OPS-02: the complete configuration serves, and ends on SIGTERM', async () => {
  const url = await createPostgresDatabase(postgres ?? '', 'production_sample')
  await migratePostgres(url)
  const [sample = ''] = blocksOf(page, 'js')
  const source = sample.replace(/from 'keyturn(.*)'/g, (_, path: string) => (
    `from '${join(root, 'src', path === '' ? 'index' : path)}.ts'`))
  const child = spawn(process.execPath, ['--conditions=keyturn-source', '--input-type=module', '--eval', source], {
    cwd: root,
    env: {
      PATH: process.env['PATH'], NODE_ENV: 'production', PORT: '0',
      ORIGIN, SESSION_SECRET: SECRET, DATABASE_URL: url,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  const port = await new Promise<number>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        const listening = /"event":"listening","port":(\d+)/.exec(output)?.[1]
        if (listening !== undefined) resolve(Number(listening))
      })
    }
    child.once('close', () => reject(new Error(output)))
  })
  const call = (path: string, init: RequestInit, cookies = ''): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      ...init,
      headers: { ...SAME_ORIGIN, connection: 'close', 'content-type': 'application/json', cookie: cookies },
  })
  const login = await call('/login', { method: 'POST', body: '{"userId":"ada"}' })
  const cookie = login.headers.getSetCookie().map(line => line.split(';')[0]).join('; ')
  const me = await call('/me', {}, cookie)
  expect([login.status, me.status, await me.json()]).toEqual([200, 200, { userId: 'ada' }])
  expect((await call('/me', {})).status).toBe(401)
  child.kill('SIGTERM')
  const [code]: unknown[] = await once(child, 'close')
  expect([code, output.match(/"event":"(?!key added|listening)/)]).toEqual([0, null])
})
