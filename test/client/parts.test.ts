import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createDevices } from '../../src/client/devices.ts'
import type { Device } from '../../src/client/devices.ts'
import { loginPageFor } from '../../src/client/login-page.ts'
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

test('B-04: the file that the documentation shows for Next.js is part of the example, which is built and driven', () => {
  const lines = (text: string): string[] => text.split('\n').map(line => line.replace(/ *\/\/.*$/, '').trim()).filter(Boolean)
  const guide = readFileSync(join(root, 'docs/client.md'), 'utf8')
  const [, code = ''] = /```tsx\n(\/\/ app\/session\.tsx\n.*?)```/s.exec(guide) ?? []
  const example = lines(readFileSync(join(root, 'examples/next/app/session.tsx'), 'utf8')).join('\n')
  expect(code).not.toBe('')
  for (const line of lines(code.replace('SessionProvider }', 'SessionProvider, useSession }'))) expect(example).toContain(line)
})
