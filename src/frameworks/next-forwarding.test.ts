import { expect, test } from 'vitest'
import { addForwarded } from './next-forwarding.ts'

function answered(method: string): Headers {
  const request = new Request('https://app.example.com/api', { method, headers: { 'x-keyturn-front-token': 'remove' } })
  const response = new Response(null, { headers: { 'cache-control': 'public, s-maxage=600' } })
  return addForwarded(request, response).headers
}

test.each(['GET', 'HEAD'])('HDR-01: a front token that a client puts on a %s request is ignored', method => {
  const headers = answered(method)
  expect([headers.get('front-token'), headers.get('cache-control')]).toEqual([null, 'public, s-maxage=600'])
})

test('HDR-01: a response that carries a front token forbids caching', () => {
  const headers = answered('POST')
  expect([headers.get('front-token'), headers.get('cache-control')]).toEqual(['remove', 'private, no-store'])
})
