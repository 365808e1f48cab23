// The samples of docs/server.md for Express and Go, run as they stand in the document, except for their ports.
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startServer } from '../../src/server/create-server.ts'
import type { KeyturnServer } from '../../src/server/create-server.ts'
import { errorCodes } from '../../src/server/native/error-codes.ts'
import { settingDescriptions } from '../../src/server/settings.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { buildGo, go, goFolder } from '../support/go.ts'
import { HttpClient } from '../support/http-client.ts'
import { freePort } from '../support/servers/workspace.ts'

const root = join(import.meta.dirname, '../..')
const guide = readFileSync(join(root, 'docs/server.md'), 'utf8')

let core: KeyturnServer
beforeAll(async () => {
  core = await startServer({ port: 0, logLevel: 'silent' }, { openStore: async () => createMemoryStore() })
})
afterAll(() => core.close())

/** The first sample in this language under a heading, with other ports. */
function sample(heading: string, language: string, port: number): string {
  const section = guide.slice(guide.indexOf(`\n## ${heading}\n`))
  const [, code = ''] = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(section) ?? []
  expect(code).toContain('elemetry')
  return code.replaceAll('http://127.0.0.1:3567', core.url).replaceAll('3000', String(port))
}

/** Runs a program until the test is over, and logs in as a page does. */
async function visit(port: number, command: string, args: readonly string[], cwd: string): Promise<HttpClient> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const client = new HttpClient(port, `http://localhost:${port}`, Date.now)
  const headers = { 'st-auth-mode': 'cookie', rid: 'session' }
  await expect.poll(() => client.send('GET', '/me', { headers }).then(({ status }) => status, () => null)).toBe(401)
  expect((await client.send('POST', '/login', { headers })).status).toBe(200)
  return client
}

test('V-14: the sample for Express logs in and finds the session', async () => {
  const port = await freePort()
  const code = sample('Express', 'js', port)
  const client = await visit(port, process.execPath, ['--input-type=module', '--eval', code], root)
  const me = await client.send('GET', '/me', { headers: { rid: 'session' } })
  expect([me.status, JSON.parse(me.body)]).toEqual([200, { user: 'ada' }])
})

test.skipIf(go === null)('V-14: the sample for Go logs in, finds the session, and checks the database', async () => {
  const port = await freePort()
  const folder = join(goFolder, 'guide')
  mkdirSync(folder, { recursive: true })
  for (const name of ['go.mod', 'go.sum']) copyFileSync(join(import.meta.dirname, 'go', name), join(folder, name))
  writeFileSync(join(folder, 'main.go'), sample('Go', 'go', port))
  const program = join(folder, 'guide')
  await buildGo(folder, program)
  const client = await visit(port, program, [], folder)
  const headers = { rid: 'session' }
  expect(JSON.parse((await client.send('GET', '/me', { headers })).body)).toEqual({ user: 'ada' })
  expect((await client.send('GET', '/transfer', { headers })).status).toBe(200)
  const revocation = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"userId":"ada"}' }
  expect((await fetch(`${core.url}/v1/sessions/revoke-by-user`, revocation)).status).toBe(200)
  expect((await client.send('GET', '/transfer', { headers })).status).toBe(401)
})

describe('V-14: the guide lists', () => {
  test('every error code of the native API', () => {
    const section = guide.slice(guide.indexOf('\n### Errors\n'), guide.indexOf('\n### Clients\n'))
    expect([...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code).filter(code => code !== 'error')
      .toSorted())
      .toEqual(Object.keys(errorCodes).toSorted())
  })

  test('every setting, with its name in the file', () => {
    for (const { name, flag, isPositional } of settingDescriptions) {
      expect(guide).toContain(isPositional ? `| \`${name}\` |` : `| \`--${flag}\` | \`${name}\` |`)
    }
  })
})

test('V-15: the guide says that sqlite::memory: ends with the server', () => {
  expect(guide).toContain('`sqlite::memory:` keeps sessions in memory')
})
