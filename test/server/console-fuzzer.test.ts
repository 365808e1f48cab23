// The public fuzzer on the console's API, as its document describes it: login and logout in the console of a server, all
// other operations in that of an application, because the logout would end the console session while the fuzzer runs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { parseJsonObject } from '../../src/base/json.ts'
import { nodeSessions } from '../../src/frameworks/node.ts'
import { createSessions } from '../../src/index.ts'
import { describeConsole } from '../../src/server/console/openapi.ts'
import { inMemory } from '../../src/testing/index.ts'
import { runProgram } from '../support/api-tools.ts'
import type { ProgramEnd } from '../support/api-tools.ts'
import { MANAGER_KEY, startConsoleServer } from '../support/console-server.ts'
import type { ConsoleServer } from '../support/console-server.ts'
import { preparePython } from '../support/python.ts'
import { listen } from '../support/serve-web.ts'
import type { RunningApp } from '../support/serve-web.ts'

const ORIGIN = 'https://app.example.com'
const settings = join(import.meta.dirname, 'fuzzer')
/** How many requests it makes of each operation at most, besides those that go through the limits of each schema. */
const examples = process.env['CI'] === 'true' ? 30 : 5
const python = await preparePython(join(import.meta.dirname, '../api-tools/requirements.txt'))
const folder = mkdtempSync(join(tmpdir(), 'keyturn-console-fuzzer-'))
const failures: unknown[] = []
let app: RunningApp

beforeAll(async () => {
  const sessions = nodeSessions(createSessions({
    origin: ORIGIN, ...inMemory(), events: { onBackgroundError: ({ error }) => failures.push(error) },
  }))
  const console = sessions.console({ authorize: () => ({ name: 'ada', role: 'manage' }) })
  app = await listen(createServer((request, response) => void console(request, response)))
})
afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The part of the document to which an example is added. */
interface DocumentedLogin {
  readonly paths: { readonly '/login': { readonly post: { readonly requestBody: {
    readonly content: { readonly 'application/json': { example?: object } }
  } } } }
  readonly components: { readonly securitySchemes: { readonly session: { readonly name: string } } }
}

/** Runs the fuzzer with what the page of the console would send in its headers. */
function fuzz(
  document: object, url: string, headers: Readonly<Record<string, string>>, flags: readonly string[],
): Promise<ProgramEnd> {
  writeFileSync(join(folder, 'console.json'), JSON.stringify(document))
  return runProgram(python ?? '', [
    '-m', 'schemathesis.cli', '--config-file', join(settings, 'schemathesis.toml'), 'run', 'console.json', '--url', url,
    ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    // The headers that guard a change are always sent.
    '--exclude-checks', 'missing_required_header',
    '--max-examples', `${examples}`, '--no-color', ...flags,
  ], { cwd: folder, env: { PYTHONDONTWRITEBYTECODE: '1' } })
}

test('CON-21: schemathesis finds nothing in the API of the console', async ({ skip }) => {
  if (python === null) return skip('schemathesis is not installed')
  const url = `http://127.0.0.1:${app.port}/console/api`
  const { changeToken } = await (await fetch(`${url}/me`)).json() as { changeToken: string }
  // An application needs no session of the console.
  const document = { ...describeConsole({ path: '/console', origin: ORIGIN }), security: [] }
  const headers = { 'origin': ORIGIN, 'x-console-token': changeToken }
  // The application decides who may log in, so the login by API key does not exist here.
  const { code, output } = await fuzz(document, url, headers, [
    '--exclude-operation-id', 'logIn', '--exclude-operation-id', 'logOut',
  ])
  expect([code], output.slice(-20_000)).toEqual([0])
  expect(output).toMatch(/Tested: 15$/m)
  expect(failures).toEqual([])
})

describe('CON-21: schemathesis finds nothing in', () => {
  test('the login by API key, and meets its limit', async ({ skip }) => {
    if (python === null) return skip('schemathesis is not installed')
    const { world, url, document } = await startServer()
    // The fuzzer begins with examples: one login must succeed, or it would only see refusals.
    document.paths['/login'].post.requestBody.content['application/json'].example = { apiKey: MANAGER_KEY }
    const { code, output } = await fuzz(document, url, { origin: world.server.url }, [
      '--include-operation-id', 'logIn', '--max-examples', '30',
    ])
    expect([code], output.slice(-20_000)).toEqual([0])
    expect(output).toMatch(/Tested: 1$/m)
    expect(new Set(await noted(world))).toEqual(new Set(['login', 'login-refused']))
    // The time of this server stands still, so all guesses but the first were answered with 429, and the next is as well.
    expect((await world.browser().logIn(MANAGER_KEY)).status).toBe(429)
  })

  test('the logout, of a console session that then has ended', async ({ skip }) => {
    if (python === null) return skip('schemathesis is not installed')
    const { world, url, document } = await startServer()
    const operator = await world.operator()
    const cookie = [...operator.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { 'origin': world.server.url, 'x-console-token': operator.token ?? '', cookie }
    const { code, output } = await fuzz(document, url, headers, [
      '--include-operation-id', 'logOut',
      // The cookie is always sent.
      '--exclude-checks', 'missing_required_header,negative_data_rejection',
    ])
    expect([code], output.slice(-20_000)).toEqual([0])
    expect(output).toMatch(/Tested: 1$/m)
    expect((await noted(world)).toSorted()).toEqual(['login', 'logout'])
    expect([...operator.cookies.keys()]).toContain(document.components.securitySchemes.session.name)
  })

  async function startServer(): Promise<{ world: ConsoleServer; url: string; document: DocumentedLogin }> {
    const world = await startConsoleServer()
    onTestFinished(() => world.server.close())
    const url = `${world.server.url}/console/api`
    return { world, url, document: await (await fetch(`${url}/openapi.json`)).json() as DocumentedLogin }
  }

  /** What the audit log has. */
  async function noted({ store }: ConsoleServer): Promise<readonly string[]> {
    const selection = { kinds: ['audit'], userId: null, handle: null } as const
    const { events } = await store.pageEvents(selection, { limit: 200, after: null })
    return events.map(({ detail }) => String(parseJsonObject(detail)?.['action']))
  }
})
