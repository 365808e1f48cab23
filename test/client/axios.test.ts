import axios from 'axios'
import type { AxiosInstance } from 'axios'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { addSessionInterceptor } from '../../src/client/axios.ts'
import { createClient } from '../../src/client/index.ts'
import type { Client } from '../../src/client/index.ts'
import { Application } from '../e2e/client-support/application.ts'

let application: Application
let client: Client<object>
let api: AxiosInstance

beforeAll(async () => {
  application = await Application.start('')
})

beforeEach(async () => {
  const kept = new Map<string, string>()
  client = createClient({
    baseUrl: application.origin,
    mode: 'header',
    storage: { getItem: key => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) },
  })
  api = axios.create({ baseURL: application.origin })
  addSessionInterceptor(api, client)
  await api.post('/login', { userId: 'ada' })
  application.refreshes.length = 0
})

afterAll(() => application.end())

// The server may record a refresh after the client has received its response.
const refreshedOnce = (): Promise<void> => expect.poll(() => application.refreshes).toEqual([200])

test('many axios requests at expiry refresh once', async () => {
  application.expireTokens()
  const replies = await Promise.all(Array.from({ length: 20 }, () => api.get('/me')))
  expect(replies.map(({ data }) => data.userId)).toEqual(Array.from({ length: 20 }, () => 'ada'))
  await refreshedOnce()
})

test('other interceptors and transforms of axios see one request and one response, added before or after', async () => {
  application.expireTokens()
  const heard: string[] = []
  const own = axios.create({
    baseURL: application.origin,
    transformRequest: data => {
      heard.push('serialize')
      return JSON.stringify(data)
    },
    transformResponse: text => {
      heard.push('parse')
      return JSON.parse(text)
    },
  })
  const listen = (name: string): void => {
    own.interceptors.request.use(request => {
      heard.push(`request ${name}`)
      return { ...request }
    })
    own.interceptors.response.use(reply => {
      heard.push(`response ${name} ${reply.status}`)
      return reply
    })
  }
  listen('before')
  addSessionInterceptor(own, client)
  listen('after')
  expect((await own.post('/echo', { text: 'zażółć' })).data).toEqual({ text: 'zażółć' })
  expect(heard).toEqual([
    'request after', 'request before', 'serialize', 'parse', 'response before 200', 'response after 200',
  ])
  await refreshedOnce()
})

test('axios repeats a request with every kind of body, except a stream: that request gets the 401', async () => {
  const text = 'zażółć '.repeat(10_000)
  for (const body of [text, Buffer.from(text), new Blob([text])]) {
    application.expireTokens()
    expect((await api.post('/echo', body, { responseType: 'text' })).data).toBe(text)
  }
  application.expireTokens()
  await expect(api.post('/echo', Readable.from([text]))).rejects.toMatchObject({ response: { status: 401 } })
  expect((await api.get('/me')).status).toBe(200)
})

test('the request in an error of axios contains no token and can be sent again', async () => {
  const failure: unknown = await api.get('/nowhere').catch((error: unknown) => error)
  if (!axios.isAxiosError(failure) || failure.config === undefined) return expect.fail('not a failure of axios')
  expect(JSON.stringify(failure)).not.toMatch(/bearer|st-auth-mode/i)
  application.expireTokens()
  expect((await api.request({ ...failure.config, url: '/me' })).status).toBe(200)
  await refreshedOnce()
})

test('an axios request that is aborted does not wait for the refresh', async () => {
  application.expireTokens()
  const abort = new AbortController()
  application.beforeAnswer = async () => {
    application.beforeAnswer = null
    abort.abort()
  }
  const failure: unknown = await api.get('/me', { signal: abort.signal }).catch((error: unknown) => error)
  expect(axios.isCancel(failure)).toBe(true)
  expect((await api.get('/me')).status).toBe(200)
})

test('after the interceptor is removed, axios sends no session', async () => {
  const own = axios.create({ baseURL: application.origin })
  addSessionInterceptor(own, client)()
  await expect(own.get('/me')).rejects.toMatchObject({ response: { status: 401 } })
})

test('axios repeats a refused request once, whatever the server answers', async () => {
  let sent = 0
  const own = axios.create({
    baseURL: application.origin,
    adapter: async config => {
      sent++
      const refusal = { status: 401, statusText: '', data: {}, config, headers: {} }
      throw new axios.AxiosError('refused', undefined, config, {}, refusal)
    },
  })
  addSessionInterceptor(own, client)
  await expect(own.get('/me')).rejects.toMatchObject({ response: { status: 401 } })
  expect(sent).toBe(2)
  await refreshedOnce()
})

test('CSRF-12: axios adds nothing to requests for other origins, however they get there', async () => {
  const seen: string[] = []
  const other = createServer((request, response) => {
    seen.push(...Object.keys(request.headers))
    response.writeHead(401, { 'front-token': 'remove' }).end()
  })
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  const address = other.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  try {
    await expect(api.get(origin)).rejects.toMatchObject({ response: { status: 401 } })
    // An interceptor that sends the request to another origin, after all other interceptors.
    const own = axios.create({ baseURL: application.origin })
    own.interceptors.request.use(request => ({ ...request, baseURL: origin }))
    addSessionInterceptor(own, client)
    await expect(own.get('/me')).rejects.toMatchObject({ response: { status: 401 } })
    application.redirect = `${origin}/stolen`
    await expect(api.get('/away')).rejects.toMatchObject({ response: { status: 401 } })
    expect(seen.filter(name => ['authorization', 'st-refresh-token', 'st-access-token'].includes(name))).toEqual([])
    expect(client.peekSession()).not.toBeNull()
    expect(application.refreshes).toEqual([])
  } finally {
    await new Promise(resolve => other.close(resolve).closeAllConnections())
  }
})

test('B-07: axios’ timeout, cancel token and signal end the wait for a refresh, as axios reports it', async () => {
  application.expireTokens()
  let release = (): void => undefined
  const over = new Promise<void>(resolve => release = resolve)
  let asked = (): void => undefined
  const waiting = new Promise<void>(resolve => asked = resolve)
  application.beforeAnswer = () => {
    asked()
    return over
  }
  const source = axios.CancelToken.source()
  const abort = new AbortController()
  const failures = Promise.all([
    api.get('/me', { timeout: 50, timeoutErrorMessage: 'too slow' }),
    api.get('/me', { cancelToken: source.token }),
    api.get('/me', { signal: abort.signal }),
  ].map(call => call.catch((error: unknown) => error)))
  await waiting
  source.cancel('no longer needed')
  abort.abort()
  const [late, cancelled, aborted] = await failures
  expect(late).toMatchObject({ code: 'ECONNABORTED', message: 'too slow' })
  expect([axios.isCancel(cancelled), axios.isCancel(aborted)]).toEqual([true, true])
  expect(cancelled).toMatchObject({ message: 'no longer needed' })
  application.beforeAnswer = null
  release()
  expect((await api.get('/me')).status).toBe(200)
})
