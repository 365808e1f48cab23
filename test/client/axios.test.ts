import axios from 'axios'
import type { InternalAxiosRequestConfig } from 'axios'
import { expect, test } from 'vitest'
import { sessionAdapter } from '../../src/client/axios.ts'
import { createClientIn } from '../../src/client/create-client.ts'
import { Browser } from './support/browser.ts'

const ORIGIN = 'https://app.example.com'
const START = Date.UTC(2026, 0, 1)

/** A server that refuses everything, each time with another token, and says what it was asked for. */
function createWorld(): { asked: string[]; send: (url: string) => Promise<unknown> } {
  const asked: string[] = []
  let serial = 0
  const front = (): string => {
    const up = { sid: 'ada', iat: START / 1000, jti: serial++ }
    return btoa(JSON.stringify({ uid: 'ada', ate: START + 60_000, up }))
  }
  const browser = new Browser(async input => {
    asked.push(String(input))
    return new Response('{}', { headers: { 'front-token': front() } })
  }, START)
  const client = createClientIn(browser.openTab(), {})
  const api = axios.create({
    baseURL: ORIGIN,
    adapter: sessionAdapter(client, {
      defaults: {},
      getUri: axios.getUri.bind(axios),
      getAdapter: () => async (config: InternalAxiosRequestConfig) => {
        asked.push(`${axios.getUri(config)} ${config.headers.get('st-auth-mode') ?? 'bare'}`)
        const refusal = { status: 401, statusText: '', data: {}, config, headers: { 'front-token': front() } }
        throw new axios.AxiosError('refused', undefined, config, {}, refusal)
      },
    }),
  })
  return { asked, send: url => api.get(url) }
}

test('axios repeats a refused request once, whatever the server answers', async () => {
  const { asked, send } = createWorld()
  await expect(send('/me')).rejects.toMatchObject({ response: { status: 401 } })
  expect(asked).toEqual([`${ORIGIN}/me cookie`, `${ORIGIN}/me cookie`])
})

test('CSRF-12: axios adds nothing to requests for other origins, and takes their 401 as it is', async () => {
  const { asked, send } = createWorld()
  for (const url of ['https://evil.tld/x', '//evil.tld/x', 'https://app.example.com@evil.tld/x']) {
    await expect(send(url)).rejects.toMatchObject({ response: { status: 401 } })
  }
  expect(asked).toEqual(['https://evil.tld/x bare', '//evil.tld/x bare', 'https://app.example.com@evil.tld/x bare'])
})
