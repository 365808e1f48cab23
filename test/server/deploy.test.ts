// The files of deploy/, as far as they can be tested without a machine or an image of their own.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { settingDescriptions } from '../../src/server/settings.ts'
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
    const preset = settingDescriptions.find(({ name }) => name === 'shutdownTimeout')?.preset
    expect(preset).toBe('10s')
    expect(Number(seconds)).toBeGreaterThanOrEqual(15)
  })
})

describe('the Dockerfile', () => {
  const lines = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8').replaceAll(/\\\n/g, ' ').split('\n')
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
})
