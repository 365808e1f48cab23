import { expect, test } from 'vitest'
import { warningsOf } from './create-server.ts'
import { issuerOf } from './issuer.ts'
import { readSettings } from './settings.ts'

const read = (flags: Record<string, string>): ReturnType<typeof readSettings> => (
  readSettings({ flags: { 'api-key': 'a-key-that-no-one-guesses', ...flags }, environment: {}, file: {} })
)

test.each([
  [{}, 'http://127.0.0.1:3567'],
  [{ host: 'localhost', port: '80', 'base-path': '/core' }, 'http://localhost:80/core'],
  [{ host: '[::1]' }, 'http://[::1]:3567'],
  [{ host: '10.0.0.5' }, 'http://10.0.0.5:3567'],
  [{ host: '0.0.0.0' }, 'http://127.0.0.1:3567'],
  [{ host: '::' }, 'http://127.0.0.1:3567'],
  [{ host: '0:0:0:0:0:0:0:0', 'base-path': '/core' }, 'http://127.0.0.1:3567/core'],
  [{ host: '0.0.0.0', 'public-origin': 'https://sessions.example.com', 'base-path': '/core' },
    'https://sessions.example.com/core'],
  [{ host: '0.0.0.0', issuer: 'https://app.example.com/auth' }, 'https://app.example.com/auth'],
])('the issuer of %j is %s', (flags, issuer) => {
  expect(issuerOf(read(flags), 'public')).toBe(issuer)
  expect(issuerOf(read(flags), 'shop')).toBe(`${issuer}/appid-shop`)
})

test('a host for all addresses gets a warning, unless the settings say where clients reach the server', () => {
  for (const host of ['0.0.0.0', '::']) {
    expect(warningsOf(read({ host })))
      .toEqual([expect.stringContaining(`--host ${host} is no address that clients can use`)])
    for (const more of [{ issuer: 'https://a.example' }, { 'public-origin': 'https://a.example' }]) {
      expect(warningsOf(read({ host, ...more }))).toEqual([])
    }
  }
  for (const host of ['127.0.0.1', '10.0.0.5', '::1']) expect(warningsOf(read({ host }))).toEqual([])
})
