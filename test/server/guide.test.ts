// The sample of docs/server.md for Express, run as it stands there except for its ports, and the lists of that page.
import { describe, expect, test } from 'vitest'
import { errorCodes } from '../../src/server/native/error-codes.ts'
import { settingDescriptions } from '../../src/server/settings.ts'
import { guideSample, serverGuide, serveSamples } from '../support/guide-samples.ts'

const coreUrl = serveSamples()

test('V-14: the sample for Express logs in and finds the session', async () => {
  const { code, start } = await guideSample(coreUrl(), 'Express', 'js')
  const client = await start(process.execPath, ['--input-type=module', '--eval', code])
  const me = await client.send('GET', '/me', { headers: { rid: 'session' } })
  expect([me.status, JSON.parse(me.body)]).toEqual([200, { user: 'ada' }])
})

describe('V-14: the guide lists', () => {
  test('every error code of the native API', () => {
    const section = serverGuide.slice(serverGuide.indexOf('\n### Errors\n'), serverGuide.indexOf('\n### Clients\n'))
    expect([...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code).filter(code => code !== 'error')
      .toSorted())
      .toEqual(Object.keys(errorCodes).toSorted())
  })

  test('every setting, with its name in the file', () => {
    for (const { name, flag, isPositional } of settingDescriptions) {
      expect(serverGuide).toContain(isPositional ? `| \`${name}\` |` : `| \`--${flag}\` | \`${name}\` |`)
    }
  })
})

test('V-15: the guide says that sqlite::memory: ends with the server', () => {
  expect(serverGuide).toContain('`sqlite::memory:` keeps sessions in memory')
})
