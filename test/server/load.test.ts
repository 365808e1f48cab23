// The cost of hostile input.
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { matchCdiRoute } from '../../src/server/cdi/route.ts'
import { routeName } from '../../src/server/http/service.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { startCoreServer } from '../support/core-server.ts'
import type { CoreServer } from '../support/core-server.ts'
import { growth, LINEAR } from '../support/growth.ts'

let core: CoreServer
afterEach(() => core.server.close())

describe('DOS-02: takes time linear in the length', () => {
  test.each([
    ['braces', '{"a":'], ['brackets', '['], ['quotes', '"'], ['backslashes', '"\\\\'], ['spaces', ' '], ['digits', '1'],
  ])('a body of %s', async (_, piece) => {
    core = await startCoreServer({ maxBodyBytes: 1_000_000 })
    expect(await growth(110_000, length => piece.repeat(length / piece.length), async body => {
      expect((await core.call('/recipe/session', { method: 'POST', body })).status).toBe(400)
    })).toBeLessThan(LINEAR)
  })

  test.each(['/', '/a', '/appid-', '/appid-a', '/v1/', '%', '/v1/sessions/%41', '-'])('a path of %s', async piece => {
    core = await startCoreServer()
    const pathOf = (length: number): string => `/${piece.repeat(length / piece.length)}`
    expect((await core.call(pathOf(15_000))).status).toBe(404)
    expect(await growth(10_000, pathOf, path => [matchCdiRoute(path), routeName(path)])).toBeLessThan(LINEAR)
  })
})

test('DOS-04: an unrecognized token causes no query for its session', async () => {
  let calls = 0
  const store = createMemoryStore()
  core = await startCoreServer({}, { ...store, find: handle => (calls += 1, store.find(handle)) })
  const { accessToken } = await core.create()
  const [header = '', payload = '', signature = ''] = accessToken.token.split('.')
  const verify = async (token: string): Promise<string> => (await core.call('/recipe/session/verify', {
    body: { accessToken: token, doAntiCsrfCheck: false, enableAntiCsrf: false, checkDatabase: true },
  })).json.status
  const headerOfUnknownKey = Buffer.from('{"alg":"RS256","typ":"JWT","version":"5","kid":"d-1"}').toString('base64url')
  for (const token of [
    `${headerOfUnknownKey}.${payload}.${signature}`, `${header}.${payload}.AAAA`, `${header}.e30.${signature}`,
    `${header}..`,
    'a.b.c',
  ]) expect(await verify(token)).toBe('TRY_REFRESH_TOKEN')
  expect(calls).toBe(0)
  expect(await verify(accessToken.token)).toBe('OK')
  expect(calls).toBe(1)
})

test('DOS-09: connections beyond the limit are closed, and the others are served', async () => {
  core = await startCoreServer({ maxConnections: 2 })
  const { port } = new URL(core.url)
  const open = async (): Promise<Socket> => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }
  const [first, second] = [await open(), await open()]
  const third = await open()
  if (!third.closed) await once(third, 'close')
  first.write('GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const [answer]: unknown[] = await once(first, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200/)
  for (const socket of [first, second]) socket.destroy()
})
