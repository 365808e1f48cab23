import { afterEach, describe, expect, test, vi } from 'vitest'
import { createNativeClient } from '../../src/client/native.ts'
import { decode, parsePlain } from '../../src/client/old-platform.ts'
import { base64 } from '../../src/client/front-token.ts'
import { Api, LIFETIME, ORIGIN } from './support/api.ts'
import { settle } from './support/browser.ts'

/** What React Native, Expo or an older engine lacks, and what it has instead. */
const missing = [
  'TextDecoder', 'atob', 'btoa', 'localStorage', 'BroadcastChannel', 'navigator', 'location', 'document', 'performance',
  'queueMicrotask', 'structuredClone', 'addEventListener',
]

/** As React Native's `URL` was for years: most members throw. */
class OldUrl {
  readonly href: string
  constructor(url: string) {
    this.href = url
  }
  get host(): string {
    throw new Error('URL.host is not implemented')
  }
}

const { decode: platformDecode } = base64
const api = new Api()
// Node loads its implementation of these with the first use, which needs the globals.
void new Request(ORIGIN, { headers: new Headers() })

afterEach(() => {
  vi.unstubAllGlobals()
  base64.decode = platformDecode
})

/** Removes the globals. The server runs in the same process and needs them, so each call restores them for it. */
function removeGlobals(): void {
  for (const name of missing) vi.stubGlobal(name, undefined)
  vi.stubGlobal('URL', OldUrl)
  vi.stubGlobal('AbortSignal', Object.assign(class {}, { timeout: undefined }))
}

async function send(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  vi.unstubAllGlobals()
  try {
    const answer = await api.fetch(input, { ...init, signal: null })
    // Node's own response would need its globals.
    const text = await answer.text()
    Object.defineProperty(answer, 'json', { value: async () => JSON.parse(text) })
    return Object.defineProperty(answer, 'clone', { value: () => answer })
  } finally {
    removeGlobals()
  }
}

describe('B-05: without the globals of a browser', () => {
  test('a client logs in, refreshes, survives a restart and signs out', async () => {
    const kept = new Map<string, string>()
    const storage = {
      getItem: async (key: string) => kept.get(key) ?? null,
      setItem: async (key: string, value: string) => {
        // The rules of Expo's SecureStore.
        if (!/^[\w.-]+$/.test(key)) throw new Error(`invalid key ${key}`)
        kept.set(key, value)
      },
    }
    let wake = (): void => undefined
    removeGlobals()
    const options = {
      baseUrl: ORIGIN, storage, fetch: send,
      onWake: (listener: () => void) => {
        wake = listener
        return () => undefined
      },
    }
    const client = createNativeClient(options)
    expect(await client.getSession()).toBeNull()
    expect((await client.fetch('/login', { method: 'POST', body: '{"userId":"zażółć"}' })).status).toBe(200)
    expect(await client.getSession()).toMatchObject({ userId: 'zażółć' })
    api.now += LIFETIME * 1000 + 1000
    expect((await client.fetch('/me')).status).toBe(200)
    client.close()
    const restarted = createNativeClient(options)
    expect(await restarted.getSession()).toMatchObject({ userId: 'zażółć' })
    wake()
    await settle()
    expect(await restarted.signOut()).toBe(true)
    expect([...kept.values()].join()).not.toContain('ey')
    restarted.close()
  })

  test('what is missing and needed is named', () => {
    const storage = { getItem: () => null, setItem: () => undefined }
    vi.stubGlobal('AbortController', undefined)
    expect(() => createNativeClient({ baseUrl: ORIGIN, storage })).toThrow('needs AbortController')
    vi.unstubAllGlobals()
    vi.stubGlobal('fetch', undefined)
    expect(() => createNativeClient({ baseUrl: ORIGIN, storage })).toThrow('needs fetch')
    vi.unstubAllGlobals()
    const none: object = {}
    expect(() => Reflect.apply(createNativeClient, null, [{ baseUrl: ORIGIN, storage: none }]))
      .toThrow('getItem and setItem')
  })

  test('a storage that refuses the tokens is reported', async () => {
    const report = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const storage = { getItem: () => null, setItem: () => Promise.reject(new Error('the value is too long')) }
    const client = createNativeClient({ baseUrl: ORIGIN, storage, fetch: api.fetch })
    await client.fetch('/login', { method: 'POST' })
    await settle()
    expect(report).toHaveBeenCalledWith('keyturn: storage failed', new Error('the value is too long'))
    report.mockRestore()
  })

  test('addresses that platforms may read differently carry no session', () => {
    const base = `${ORIGIN}/`
    const hrefOf = (address: string): string | undefined => parsePlain(address, base)?.href
    expect(['/x?y#z', 'x', '?x', `${ORIGIN}/x`, 'HTTPS://APP.EXAMPLE.COM/x'].map(hrefOf)).toEqual([
      `${ORIGIN}/x?y#z`, `${ORIGIN}/x`, `${ORIGIN}/?x`, `${ORIGIN}/x`, `${ORIGIN}/x`,
    ])
    const others = [
      '//evil.tld/x', '/\\evil.tld', '\\\\evil.tld', '\t//evil.tld', 'https:\\\\evil.tld', 'https:x', 'javascript:x',
      'https://app.example.com@evil.tld/x', 'https://app.example.com:x@evil.tld', 'https://evil.tld\\@app.example.com/',
      'https://app.example.com\\.evil.tld/', 'https://[::1]/x', 'https://éxample.com/', 'http://a b/',
    ]
    for (const address of others) expect([address, hrefOf(address) ?? null]).toEqual([address, null])
  })

  test('base64 is decoded as by the platform', () => {
    for (const text of ['', 'a', 'ab', 'abc', 'zażółć 🎉', JSON.stringify({ uid: 'x'.repeat(999) })]) {
      const encoded = Buffer.from(text).toString('base64')
      expect(decode(encoded)).toBe(text)
    }
    for (const wrong of ['!', 'a b', '/w==']) expect(() => decode(wrong)).toThrow()
  })
})
