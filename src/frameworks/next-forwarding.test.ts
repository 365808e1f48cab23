import { expect, test } from 'vitest'
import { addForwarded } from './next-forwarding.ts'

function answered(method: string): Headers {
  const request = new Request('https://app.example.com/api', { method, headers: { 'x-keyturn-front-token': 'remove' } })
  const response = new Response(null, { headers: { 'cache-control': 'public, s-maxage=600' } })
  return addForwarded(request, response).headers
}

test.each(['GET', 'HEAD'])('HDR-01: a %s that brings its own news of a session is not believed', method => {
  const headers = answered(method)
  expect([headers.get('front-token'), headers.get('cache-control')]).toEqual([null, 'public, s-maxage=600'])
})

test('HDR-01: no cache keeps the news of a session', () => {
  const headers = answered('POST')
  expect([headers.get('front-token'), headers.get('cache-control')]).toEqual(['remove', 'private, no-store'])
})
