// Where a server listens, and the issuer that follows from it.
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { Server } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { expect, test, vi } from 'vitest'
import { startServer } from '../../src/server/create-server.ts'
import { httpLimits, listen } from '../../src/server/http/listen.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { serveProcess } from '../support/serve-process.ts'
import { createDirectory, removeDirectory } from '../support/servers/workspace.ts'

const API_KEY = 'a-key-that-no-one-guesses'
const headers = { 'api-key': API_KEY, 'content-type': 'application/json' }

test.each([[[]], [['--host', '0.0.0.0']]])('keyturn serve --port 0 %j issues tokens with the port that it got',
  async more => {
    const folder = createDirectory()
    const server = await serveProcess(folder, ['sqlite::memory:', '--port', '0', '--api-key', API_KEY, ...more])
    const port = new URL(server.url).port
    expect(Number(port)).toBeGreaterThan(0)
    const address = `http://127.0.0.1:${port}`
    const body = JSON.stringify({ userId: 'ada' })
    const { accessToken } = await (await fetch(`${address}/v1/sessions`, { method: 'POST', headers, body })).json()
    const keys = createRemoteJWKSet(new URL(`${address}/jwt/jwks.json`))
    const { payload } = await jwtVerify(accessToken, keys, { issuer: address })
    expect(payload.sub).toBe('ada')
    expect(server.output().includes('no address that clients can use')).toBe(more.length > 0)
    expect(await server.end('SIGTERM')).toBe(0)
    removeDirectory(folder)
  })

test('a server on a free port does not listen any more if it cannot open its store', async () => {
  const close = vi.spyOn(Server.prototype, 'close')
  const openStore = async (): Promise<never> => Promise.reject(new Error('no store'))
  await expect(startServer({ port: 0, logLevel: 'silent' }, { openStore })).rejects.toThrow('no store')
  expect(close.mock.contexts.map(server => server instanceof Server && server.listening)).toEqual([false])
  close.mockRestore()
})

test('a server whose port is taken closes its store, and the error names the address', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  let closed = 0
  const openStore = async (): Promise<ReturnType<typeof createMemoryStore>> => {
    const store = createMemoryStore()
    return { ...store, close: async () => { closed++; await store.close() } }
  }
  await expect(startServer({ port, logLevel: 'silent' }, { openStore }))
    .rejects.toThrow(`EADDRINUSE: address already in use 127.0.0.1:${port}`)
  expect(closed).toBe(1)
  other.close()
})

test('a request that arrives before the server serves is answered then', async () => {
  const listener = await listen('127.0.0.1', 0, httpLimits)
  const early = fetch(listener.url)
  listener.serve((_, response) => response.end('late'))
  expect(await (await early).text()).toBe('late')
  expect(await (await fetch(listener.url)).text()).toBe('late')
  await listener.close(0)
})
