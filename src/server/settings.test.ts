import { describe, expect, test } from 'vitest'
import { readOptions, readSettings, settingDescriptions } from './settings.ts'
import type { SettingSources } from './settings.ts'

const read = (sources: Partial<SettingSources> = {}): ReturnType<typeof readSettings> =>
  readSettings({ flags: {}, environment: {}, file: {}, ...sources })

test('defaults: SQLite in the working directory, reachable only from this machine', () => {
  expect(read()).toMatchObject({
    store: 'sqlite:keyturn.db', host: '127.0.0.1', port: 3567, apiKeys: [], accessTokenValidity: 3600,
    refreshTokenValidity: 8_640_000, reuseInterval: null, tenants: null, apps: [],
  })
})

test('flags override environment variables, which override the file', () => {
  const file = { port: 1, host: '127.0.0.2', basePath: '/c' }
  const environment = { KEYTURN_PORT: '2', KEYTURN_HOST: '127.0.0.3', KEYTURN_BASE_PATH: '' }
  expect(read({ file, environment, flags: { port: '3' } }))
    .toMatchObject({ port: 3, host: '127.0.0.3', basePath: '/c' })
})

test('every setting has a flag, a variable, a name in the file, a help text and a valid default', () => {
  for (const { name, flag, environment, help, defaultValue } of settingDescriptions) {
    expect(help).not.toBe('')
    expect(environment).toBe(`KEYTURN_${flag.toUpperCase().replaceAll('-', '_')}`)
    if (defaultValue === '') continue
    expect(read({ flags: { [flag]: defaultValue } })[name]).toEqual(read()[name])
    expect(read({ environment: { [environment]: defaultValue } })[name]).toEqual(read()[name])
    expect(read({ file: { [name]: defaultValue } })[name]).toEqual(read()[name])
  }
})

describe('times', () => {
  test.each([['90', 90], ['90s', 90], ['15m', 900], ['1.5h', 5400], ['1d', 86_400], ['1000ms', 1]])('%s',
    (text, seconds) => {
      expect(read({ flags: { 'access-token-validity': text } }).accessTokenValidity).toBe(seconds)
  })
})

test.each([
  [{ port: '70000' }, '--port must be a whole number from 0 to 65535'],
  [{ store: 'oracle://ada:hunter2@h' }, 'the store must be a URL that begins with'],
  [{ 'api-key': ['short-hunter2'] }, '--api-key must be keys of at least 20 characters'],
  [{ secret: ['short-hunter2'] }, '--secret must be secrets of at least 32 characters'],
  [{ host: '0.0.0.0' }, '--api-key is needed with a --host that other machines can reach'],
  [{ host: 'keyturn.localhost' }, '--api-key is needed with a --host that other machines can reach'],
  [{ host: '127.999.0.1' }, '--api-key is needed with a --host that other machines can reach'],
  [{ host: '127.0.0.1.evil.example' }, '--api-key is needed with a --host that other machines can reach'],
  [{ 'public-origin': 'https://a.example' }, '--api-key is needed with a --public-origin that other machines can'],
  [{ 'access-token-validity': '2 weeks' }, '--access-token-validity must be a time from 1 to 86400 seconds'],
  [{ 'access-token-validity': '1h', 'refresh-token-validity': '1h' }, '--refresh-token-validity must be longer'],
  [{ 'key-rotation-interval': '59m' }, '--key-rotation-interval must be a time from 3600 to 31536000 seconds'],
  [{ 'public-origin': 'https://a.example/path' }, '--public-origin must be an origin like'],
  [{ 'log-level': 'loud' }, '--log-level must be one of debug, info, warn, error, silent; received "loud"'],
  [{ 'access-token-validity': '60', 'reuse-interval': '13' }, '--reuse-interval must be at most a fifth'],
])('ADM-01, ST-07: %j is refused: the message says what to fix, and repeats no secret', (flags, words) => {
  const attempt = (): unknown => read({ flags })
  expect(attempt).toThrow(words)
  expect(attempt).not.toThrow('hunter2')
})

test.each(['localhost', '::1', '127.0.0.1', '127.1.2.3'])('ADM-01: the host %s needs no API key', host => {
  expect(read({ flags: { host } }).host).toBe(host)
})

test('ADM-01: an address in brackets, as in a URL, is read as that address', () => {
  expect(read({ flags: { host: '[::1]' } }).host).toBe('::1')
  expect(() => read({ flags: { host: '[::]' } })).toThrow('--api-key is needed')
})

test.each([
  [{ 'public-origin': 'http://localhost:8080' }],
  [{ 'public-origin': 'https://sessions.example.com', 'api-key': ['a-key-that-no-one-guesses'] }],
])('ADM-01: %j is accepted', flags => {
  expect(read({ flags }).publicOrigin).toBe(flags['public-origin'])
})

test('one error names all invalid settings, and where each was given', () => {
  const environment = { KEYTURN_PORT: 'x', KEYTURN_PUBLIC_ORIGIN: 'https://a.example' }
  const attempt = (): unknown => read({ environment, file: { host: [], colour: 1 } })
  expect(attempt).toThrow('KEYTURN_PORT must be a whole number')
  expect(attempt).toThrow('host in the configuration file must be given once')
  expect(attempt).toThrow('the configuration file has no setting "colour"')
  expect(attempt).toThrow('--api-key is needed with a --public-origin')
})

describe('S-15: a misspelt name is refused, and the message suggests the right one', () => {
  test.each([
    ['KEYTURN_SECRETS', 'KEYTURN_SECRET'], ['KEYTURN_API_KEYS', 'KEYTURN_API_KEY'],
    ['KEYTURN_APIKEY', 'KEYTURN_API_KEY'],
    ['KEYTURN_STROE', 'KEYTURN_STORE'], ['KEYTURN_CONFIGS', 'KEYTURN_CONFIG'], ['KEYTURN_HOSTS', 'KEYTURN_HOST'],
  ])('the variable %s', (name, meant) => {
    const attempt = (): unknown => read({ environment: { [name]: 'hunter2' } })
    expect(attempt).toThrow(`there is no variable "${name}"; did you mean ${meant}?`)
    expect(attempt).not.toThrow('hunter2')
  })

  test('a variable that resembles no other, and one that is empty', () => {
    expect(() => read({ environment: { KEYTURN_DATABASE_URL: 'x' } }))
      .toThrow(/^there is no variable "KEYTURN_DATABASE_URL"$/)
    expect(() => read({ environment: { KEYTURN_SECRETS: '' } })).toThrow('did you mean KEYTURN_SECRET?')
  })

  test('a name in the configuration file', () => {
    expect(() => read({ file: { apiKey: ['x'] } }))
      .toThrow('the configuration file has no setting "apiKey"; did you mean apiKeys?')
  })

  test('variables of other programs are ignored, and known ones are read', () => {
    const environment = {
      PATH: '/bin',
      SECRETS: 'x',
      MY_KEYTURN_SECRETS: 'x',
      KEYTURN_CONFIG: 'k.json',
      KEYTURN_PORT: '1',
    }
    expect(read({ environment }).port).toBe(1)
  })

  test('variables that Kubernetes sets for a Service called keyturn or keyturn-store are ignored', () => {
    const environment = {
      KEYTURN_SERVICE_HOST: '10.0.0.1', KEYTURN_SERVICE_PORT: '3567', KEYTURN_SERVICE_PORT_HTTP: '3567',
      KEYTURN_PORT: 'tcp://10.0.0.1:3567', KEYTURN_PORT_3567_TCP: 'tcp://10.0.0.1:3567',
      KEYTURN_PORT_3567_TCP_PROTO: 'tcp',
      KEYTURN_PORT_3567_TCP_PORT: '3567', KEYTURN_PORT_3567_TCP_ADDR: '10.0.0.1',
      KEYTURN_STORE_SERVICE_HOST: '10.0.0.2', KEYTURN_STORE_PORT: 'tcp://10.0.0.2:5432',
    }
    expect(read({ environment })).toEqual(read())
    expect(read({ environment: { ...environment, KEYTURN_PORT: '80', KEYTURN_STORE: 'sqlite:a' } }))
      .toMatchObject({ port: 80, store: 'sqlite:a' })
    const { KEYTURN_SERVICE_HOST: _, ...without } = environment
    expect(() => read({ environment: without })).toThrow('KEYTURN_PORT_3567_TCP')
  })
})

describe('S-15: the options of startServer follow the same rules', () => {
  test.each([
    [{ secret: 'x'.repeat(32) }, 'startServer has no setting "secret"; did you mean secrets?'],
    [{ apikeys: ['a-key-that-no-one-guesses'] }, 'startServer has no setting "apikeys"; did you mean apiKeys?'],
    [{ apiKeys: ['short-hunter2'] }, 'apiKeys must be keys of at least 20 characters'],
    [{ secrets: ['short-hunter2'] }, 'secrets must be secrets of at least 32 characters'],
    [{ secrets: [7] }, 'secrets must be secrets of at least 32 characters'],
    [{ secrets: [true] }, 'secrets must be a text or a number'],
    [{ accessTokenValidity: Number.NaN }, 'accessTokenValidity must be a time'],
    [{ accessTokenValidity: Infinity }, 'accessTokenValidity must be a time'],
    [{ accessTokenValidity: -1 }, 'accessTokenValidity must be a time'],
    [{ maxSessionsPerUser: 1.5 }, 'maxSessionsPerUser must be a whole number'],
    [{ logLevel: 'loud' }, 'logLevel must be one of'], [{ migrate: true }, 'migrate must be a text or a number'],
    [{ store: {} }, 'store must be a text or a number'], [{ host: '0.0.0.0' }, '--api-key is needed'],
  ])('%j', (options, words) => {
    const attempt = (): unknown => readOptions(options as object)
    expect(attempt).toThrow(words)
    expect(attempt).not.toThrow('hunter2')
  })

  test('valid options are returned unchanged', () => {
    const secrets = ['one secret, with a comma, of 32 characters and more', 'another one, 32 characters and more']
    expect(
      readOptions({ secrets, tenants: [], apps: ['b', 'a', 'b'], sessionLifetime: null, reuseInterval: 0, port: 0 }),
    )
      .toMatchObject({ secrets, tenants: [], apps: ['b', 'a'], sessionLifetime: null, reuseInterval: 0, port: 0 })
    expect(readOptions({})).toEqual(read())
    expect(readOptions(read({ flags: { 'access-token-validity': '1.1m' } }))).toMatchObject({ accessTokenValidity: 66 })
  })
})

test('S-15: an empty list of tenants serves only the public one; no list serves all', () => {
  expect(read().tenants).toBeNull()
  expect(read({ file: { tenants: [] } }).tenants).toEqual([])
  expect(read({ environment: { KEYTURN_TENANT: ',' } }).tenants).toEqual([])
})
