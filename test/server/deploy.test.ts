// The files of deploy/, as far as they can be tested without a machine or an image of their own.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseDuration } from '../../src/base/duration.ts'
import { knownVariables, readSettings, settingDescriptions } from '../../src/server/settings.ts'
import { serveProcess } from '../support/serve-process.ts'
import { environmentFor, findProgram } from '../support/servers/programs.ts'

const root = join(import.meta.dirname, '../..')
const analyze = findProgram('systemd-analyze')
const folder = mkdtempSync(join(tmpdir(), 'keyturn-deploy-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the systemd unit', () => {
  const run = (...args: string[]): { status: number | null; output: string } => {
    const { status, stdout, stderr } = spawnSync(analyze ?? '', [...args, join(root, 'deploy/keyturn.service')], {
      encoding: 'utf8', env: { ...process.env, ...environmentFor(analyze ?? '') },
    })
    return { status, output: `${stdout}${stderr}` }
  }

  test.skipIf(analyze === null)('passes systemd-analyze verify without a message', () => {
    expect(run('verify', '--man=no')).toEqual({ status: 0, output: '' })
  })

  test.skipIf(analyze === null)('restricts the service, by the rating of systemd-analyze security', () => {
    const { status, output } = run('security', '--offline=true', '--threshold=30')
    expect(output).toContain('Overall exposure level')
    expect(status).toBe(0)
  })

  test('gives the server more time to stop than its own --shutdown-timeout', () => {
    const seconds = /^TimeoutStopSec=(\d+)$/m.exec(readFileSync(join(root, 'deploy/keyturn.service'), 'utf8'))?.[1]
    const defaultValue = settingDescriptions.find(({ name }) => name === 'shutdownTimeout')?.defaultValue
    expect(defaultValue).toBe('10s')
    expect(Number(seconds)).toBeGreaterThanOrEqual(15)
  })
})

test('every variable and every flag that the files of deploy/ name exists', () => {
  for (const name of readdirSync(join(root, 'deploy'))) {
    const text = readFileSync(join(root, 'deploy', name), 'utf8')
    for (const [variable] of text.matchAll(/\bKEYTURN_[A-Z_]+/g)) expect(knownVariables, name).toContain(variable)
    for (const [, flag] of text.matchAll(/(?:keyturn serve|its own|up to) --([a-z-]+)/g)) {
      expect(settingDescriptions.map(setting => setting.flag), name).toContain(flag)
    }
  }
})

const dockerLines = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8').replaceAll(/\\\n/g, ' ').split('\n')

interface Service {
  readonly image?: string
  readonly user?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly stop_grace_period?: string
  readonly environment: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly build?: { readonly context: string; readonly dockerfile: string }
}

describe('the compose file', () => {
  const { services, volumes } = parse(readFileSync(join(root, 'deploy/compose.yaml'), 'utf8')) as {
    services: Readonly<Record<'postgres' | 'keyturn', Service>>; volumes: object
  }
  const { keyturn, postgres } = services

  test('builds the Dockerfile beside it, and uses volumes that it declares', () => {
    const { context = '', dockerfile = '' } = keyturn.build ?? {}
    expect(existsSync(join(root, 'deploy', context, dockerfile))).toBe(true)
    expect(postgres.volumes?.map(volume => volume.split(':')[0])).toEqual(Object.keys(volumes))
  })

  test('runs the server without privileges, as no root, with a file system that it cannot write', () => {
    expect(keyturn).toMatchObject({
      user: '1000:1000', read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'],
      ports: ['127.0.0.1:3567:3567'],
    })
    expect(dockerLines).toContain('USER 1000:1000')
  })

  test('its environment is accepted by the server, and gives it time to stop', () => {
    const values: Readonly<Record<string, string>> = {
      POSTGRES_PASSWORD: 'p'.repeat(48), KEYTURN_API_KEY: 'a'.repeat(48), KEYTURN_SECRET: 's'.repeat(64),
    }
    const environment = Object.fromEntries(Object.entries(keyturn.environment).map(([name, text]) => [
      name, text.replaceAll(/\$\{(\w+)(?::\?[^}]*)?\}/g, (_, variable: string) => values[variable] ?? ''),
    ]))
    const settings = readSettings({ flags: {}, file: {}, environment: { ...environment, KEYTURN_HOST: '0.0.0.0' } })
    expect(settings.store).toBe(`postgres://keyturn:${'p'.repeat(48)}@postgres/keyturn`)
    expect(settings.storeWait).toBeGreaterThan(0)
    const grace = parseDuration(keyturn.stop_grace_period ?? '0') / 1000
    expect(grace).toBeGreaterThan(settings.shutdownDelay + settings.shutdownTimeout)
    const secrets = Object.entries(keyturn.environment).filter(([name]) => /KEY$|SECRET$/.test(name))
    for (const [, text] of secrets) expect(text, 'no secret has a default').toMatch(/^\$\{\w+:\?/)
  })
})

describe('the Dockerfile', () => {
  const lines = dockerLines
  const instruction = (name: string): string => lines.find(line => line.startsWith(`${name} `)) ?? ''

  test('copies files that exist, and starts the program of the package', () => {
    const [, files = ''] = /^COPY (.+) \.\/$/.exec(lines.find(line => line.startsWith('COPY package.json')) ?? '') ?? []
    for (const file of files.split(' ')) expect(existsSync(join(root, file)), file).toBe(true)
    const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: { keyturn: string } }
    const entry: unknown = JSON.parse(instruction('ENTRYPOINT').slice('ENTRYPOINT '.length))
    expect(entry).toEqual(['node', join('/opt/keyturn/node_modules/keyturn', bin.keyturn)])
  })

  test('its health check succeeds for a ready server, on any port and path, and fails for a stopped one', async () => {
    const check: string[] = JSON.parse(/CMD (\[.+\])$/.exec(instruction('HEALTHCHECK'))?.[1] ?? '[]')
    expect(check[0]).toBe('node')
    const server = await serveProcess(folder, ['--port', '0', '--base-path', '/core'])
    const environment = { ...process.env, KEYTURN_PORT: new URL(server.url).port, KEYTURN_BASE_PATH: '/core' }
    const health = (): number | null => spawnSync(process.execPath, check.slice(1), { env: environment }).status
    expect(health()).toBe(0)
    await server.end('SIGTERM')
    expect(health()).toBe(1)
  })

  test('its program writes only into its working directory, so that the rest of the file system can be read-only', async () => {
    const [data, home, temporary] = ['data', 'home', 'tmp'].map(name => join(folder, name)) as [string, string, string]
    for (const each of [data, home, temporary]) mkdirSync(each)
    const server = await serveProcess(data, ['--port', '0'], { HOME: home, TMPDIR: temporary, NODE_ENV: 'production' })
    await fetch(`${server.url}/v1/sessions`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"userId":"ada"}',
    })
    await server.end('SIGTERM')
    expect([readdirSync(home), readdirSync(temporary)]).toEqual([[], []])
    for (const file of readdirSync(data)) expect(file).toMatch(/^keyturn\.db/)
  })
})
