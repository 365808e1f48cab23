import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { keepTokensPrivate } from './node-exchange.ts'

test('S-09: the headers that a proxy passes to writeHead are all sent, and none makes tokens cacheable', async () => {
  const server = createServer((_, response) => {
    response.setHeader('set-cookie', 'token=1')
    response.setHeader('vary', 'Cookie')
    keepTokensPrivate(response)
    response.writeHead(200, [
      'Link', '</a>', 'link', '</b>', 'Set-Cookie', 'own=1', 'Set-Cookie', 'own=2', 'Vary', 'Accept', 'Age', '7',
      'Cache-Control', 'public',
    ]).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    const { headers } = await fetch(`http://127.0.0.1:${port}/`)
    expect(['link', 'vary', 'age', 'cache-control'].map(name => headers.get(name))).toEqual(
      ['</a>, </b>', 'Accept', '7', 'private, no-store'],
    )
    expect(headers.getSetCookie()).toEqual(['token=1', 'own=1', 'own=2'])
  } finally {
    await new Promise(resolve => server.close(resolve))
  }
})
