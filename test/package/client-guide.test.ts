import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createNativeClient } from '../../src/client/native.ts'
import { createDevices } from '../../src/client/parts.ts'
import { createWorld, logIn } from '../client/support/world.ts'
import { clientSamples, findRouter, installRouters, routers } from '../support/client-guide.ts'
import { compile, newestCompiler } from '../support/package/compile.ts'
import type { Complaint } from '../support/package/compile.ts'
import { consumer } from '../support/package/pack.ts'

// The samples of docs/client.md, each as a module of an application that has installed the package. What they take for
// granted is in test/types/client-guide.

const root = join(import.meta.dirname, '../..')
const folder = join(consumer, 'guide/client')
const samples = clientSamples()
installRouters()

function put(path: string, code: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, code)
}

const isComplete = routers.every(name => findRouter(name) !== null)

beforeAll(() => {
  cpSync(join(root, 'test/types/client-guide'), folder, { recursive: true })
  cpSync(join(root, 'test/types/tsconfig.json'), join(folder, '../tsconfig.json'))
  for (const { file, code } of samples) put(join(folder, file.startsWith('server/') ? '.' : 'web', file), code)
  for (const name of routers) {
    const found = findRouter(name)
    mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true })
    if (found !== null) symlinkSync(found, join(folder, 'node_modules', name))
  }
})

describe('B-04: the samples of docs/client.md', () => {
  const complaintsOf = (project: string): readonly Complaint[] => (
    compile(newestCompiler, folder, project, ['--skipLibCheck', 'true'])
  )

  test('are all compiled: each block of code is a sample, with a name of its own', () => {
    const guide = readFileSync(join(root, 'docs/client.md'), 'utf8')
    expect(samples).toHaveLength((guide.match(/^```/gm)?.length ?? 0) / 2)
    expect(new Set(samples.map(({ file }) => file)).size).toBe(samples.length)
  })

  test.skipIf(!isComplete)('compile as they stand', () => {
    for (const project of ['tsconfig.json', 'tsconfig.server.json', 'tsconfig.worker.json']) {
      expect(complaintsOf(project), project).toEqual([])
    }
  })

  test('do not compile with a call that does not exist', () => {
    writeFileSync(join(folder, 'web/wrong.ts'), `${samples[0]?.code}\nclient.reauthenticate('/me')\n`)
    expect(complaintsOf('tsconfig.json').map(({ file }) => file)).toContain('web/wrong.ts')
  })
})

/** How to visit an address; resolves to the address that the user then sees. */
type Visit = (address: string) => Promise<string>

describe.skipIf(!isComplete)('B-15: the guards of docs/client.md', () => {
  afterEach(() => vi.unstubAllGlobals())

  test.each(['reactRouter', 'vueRouter', 'svelteKit'] as const)('send visitors to the login: %s', async name => {
    const { api, open, expire } = createWorld()
    const { client } = open()
    vi.stubGlobal('client', client)
    const { href } = pathToFileURL(join(folder, 'web/routers.ts'))
    const guards: Record<typeof name, () => Promise<Visit>> = await import(href)
    const visit = await guards[name]()
    const seen = async (address: string): Promise<readonly unknown[]> => {
      const { pathname, searchParams } = new URL(await visit(address), 'https://app.example.com')
      return [pathname, Object.fromEntries(searchParams)]
    }
    expect(await seen('/orders?page=2')).toEqual(['/login', { returnTo: '/orders?page=2' }])
    await logIn(client)
    expect(await seen('/orders?page=2')).toEqual(['/orders', { page: '2' }])
    await api.sessions.revokeAllSessionsForUser('ada')
    await expire()
    expect(await seen('/bills?page=3')).toEqual(['/login', { returnTo: '/bills?page=3', reason: 'revoked' }])
  })
})

test('B-15: the routes of docs/client.md name the devices of a user, and revoke no others', async () => {
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit']
  const server = spawn(process.execPath, ['server/application.ts'], { cwd: folder, stdio })
  const ended = once(server, 'exit')
  try {
    const [printed]: unknown[] = await Promise.race([once(server.stdout, 'data'), ended])
    const baseUrl = String(printed).trim()
    const signIn = async (userId: string, userAgent: string): Promise<ReturnType<typeof createDevices>> => {
      const saved = new Map<string, string>()
      const client = createNativeClient({
        baseUrl,
        storage: { getItem: key => saved.get(key) ?? null, setItem: (key, value) => saved.set(key, value) },
      })
      const headers = { 'content-type': 'application/json', 'user-agent': userAgent }
      await client.fetch('/login', { method: 'POST', headers, body: JSON.stringify({ userId }) })
      return createDevices(client, { path: '/devices' })
    }
    const webKit = 'AppleWebKit/537.36 (KHTML, like Gecko)'
    await signIn('ada', `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webKit} Chrome/140.0.0.0 Safari/537.36`)
    await signIn('ada', 'curious')
    const devices = await signIn('ada', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0')
    const others = await signIn('bob', 'curious')
    const names = async (): Promise<readonly unknown[]> => (
      (await devices.list()).map(({ name, current }) => `${name}${current ? ', this one' : ''}`).sort()
    )
    expect(await names()).toEqual(['Chrome on Windows', 'Firefox on Linux, this one', 'Unknown browser'])
    const [another] = await others.list()
    expect(await devices.revoke(another?.handle ?? '')).toBe(false)
    expect(await devices.revokeOthers()).toBe(2)
    expect(await names()).toEqual(['Firefox on Linux, this one'])
    expect(await others.list()).toHaveLength(1)
    const [own] = await devices.list()
    expect(await devices.revoke(own?.handle ?? '')).toBe(true)
    expect(await devices.list()).toEqual([])
  } finally {
    server.kill()
    await ended
  }
})
