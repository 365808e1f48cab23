import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { createDevices } from '../../src/client/devices.ts'
import type { Device } from '../../src/client/devices.ts'
import { explainProblems } from '../../src/client/explain-problems.ts'
import { loginPageFor } from '../../src/client/login-page.ts'
import { observe } from '../../src/client/observe.ts'
import { clientSamples } from '../support/client-guide.ts'
import { Api, LIFETIME } from './support/api.ts'
import { createWorld, logIn } from './support/world.ts'

const root = join(import.meta.dirname, '../..')

describe('B-15: loginPageFor', () => {
  test('is null for a session, and the login page with the way back and the reason without one', async () => {
    const { api, open, expire } = createWorld()
    const { client } = open()
    const address = (): Promise<string | null> => loginPageFor(client, '/login', '/orders?page=2')
    expect(await address()).toBe('/login?returnTo=%2Forders%3Fpage%3D2')
    await logIn(client)
    expect(await address()).toBeNull()
    await expire()
    expect(await address()).toBeNull()
    await api.sessions.revokeAllSessionsForUser('ada')
    await expire()
    expect(await address()).toBe('/login?returnTo=%2Forders%3Fpage%3D2&reason=revoked')
  })

  test('shows the page if the server cannot be reached: the session is kept', async () => {
    const { api, open, expire } = createWorld()
    const { client } = open()
    await logIn(client)
    await expire()
    api.between = () => Promise.reject(new TypeError('offline'))
    expect(await loginPageFor(client, '/login', '/')).toBeNull()
  })
})

test('B-15: revokeOthers signs out every device but this one, and counts them', async () => {
  const devices = new Map(['a', 'b/c', 'd'].map(handle => [handle, { handle, current: handle === 'a' }]))
  const asked: string[] = []
  const fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    asked.push(`${init?.method ?? 'GET'} ${String(input)}`)
    if (init?.method !== 'DELETE') return Response.json([...devices.values()] satisfies Partial<Device>[])
    // Another device has signed `d` out meanwhile.
    return new Response(null, { status: String(input).endsWith('/d') ? 404 : 204 })
  }
  expect(await createDevices({ fetch }, { path: '/devices' }).revokeOthers()).toBe(1)
  expect(asked).toEqual(['GET /devices', 'DELETE /devices/b%2Fc', 'DELETE /devices/d'])
})

test('observe: a refresh after one that was refused is no repetition', async () => {
  const { api, open, expire } = createWorld()
  const { client } = open()
  const refreshes: string[] = []
  observe(client, event => {
    if (event.type === 'response' && event.kind === 'refresh') refreshes.push(`${event.attempt}: ${event.status}`)
  })
  await logIn(client)
  await api.sessions.revokeAllSessionsForUser('ada')
  expect(await client.refresh()).toBe(false)
  await logIn(client)
  await expire()
  expect((await client.fetch('/me')).status).toBe(200)
  expect(refreshes).toEqual(['1: 401', '1: 200'])
})

test('parts know the status by which the server says that there is no session', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  try {
    const sessionExpiredStatusCode = 440
    const { api, open, expire } = createWorld({}, new Api({ sessionExpiredStatusCode }))
    const { client } = open({ sessionExpiredStatusCode })
    const attempts: string[] = []
    explainProblems(client)
    const stop = observe(client, event => {
      if (event.type === 'response' && event.kind === 'application') attempts.push(`${event.attempt}: ${event.status}`)
    })
    expect(await createDevices(client, { path: '/devices' }).list()).toEqual([])
    await logIn(client)
    api.now += LIFETIME * 1000 + 1000
    expect((await client.fetch('/me')).status).toBe(200)
    expect(attempts).toEqual(['1: 440', '1: 200', '1: 440', '2: 200'])
    stop()
    await logIn(client, 'bob')
    api.jar.clear()
    await expire()
    expect(await client.getSession()).toBeNull()
    expect(warn.mock.calls.map(([text]) => String(text))).toEqual([expect.stringContaining('sent no cookies')])
  } finally {
    warn.mockRestore()
  }
})

const documented: readonly [framework: string, sample: string, file: string][] = [
  ['Next.js', 'app/session.tsx', 'examples/next/app/session.tsx'],
  ['SvelteKit', '+layout.ts', 'examples/sveltekit/src/routes/account/+layout.ts'],
]

test.each(documented)('B-04: the guide shows a file for %s of the example, which is built and driven',
  (_, sample, file) => {
    const linesOf = (text: string): string[] => (
      text.split('\n').map(line => line.replace(/ *\/\/.*$/, '').trim()).filter(Boolean)
    )
    const { code } = clientSamples().find(each => each.file === sample) ?? expect.fail(sample)
    const example = linesOf(readFileSync(join(root, file), 'utf8')).join('\n')
    const lines = linesOf(code.replace('SessionProvider }', 'SessionProvider, useSession }'))
    for (const line of lines) expect(example).toContain(line)
  })
