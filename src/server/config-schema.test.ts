import { describe, expect, test } from 'vitest'
import { configSchema } from './config-schema.ts'
import type { Shape } from './setting-texts.ts'
import { readSettings, settingDescriptions } from './settings.ts'
import type { ServerSettings } from './settings.ts'

const { properties } = configSchema() as {
  properties: Readonly<Record<string, Shape & { default?: unknown; description: string }>>
}

/** Whether a value of the file fits the schema. */
function fits({ type, pattern, enum: words, minimum, maximum, items, anyOf }: Shape, value: unknown): boolean {
  if (anyOf !== undefined) return anyOf.some(shape => fits(shape, value))
  const types = type === undefined ? null : [type].flat()
  const kind = Array.isArray(value) ? 'array'
    : Number.isInteger(value) && types?.includes('integer') ? 'integer' : typeof value
  if (types !== null && !types.includes(kind)) return false
  if (words !== undefined && !words.some(word => word === value)) return false
  if (typeof value === 'string') return pattern === undefined || new RegExp(pattern).test(value)
  if (typeof value === 'number') return value >= (minimum ?? -Infinity) && value <= (maximum ?? Infinity)
  return !Array.isArray(value) || items === undefined || value.every(item => fits(items, item))
}

function accepts(file: Partial<Record<keyof ServerSettings | '$schema', unknown>>): boolean {
  try {
    readSettings({ flags: {}, environment: {}, file })
    return true
  } catch {
    return false
  }
}

test('V-07: the JSON schema of the configuration file has every setting, its meaning and its default, and no other', () => {
  expect(Object.keys(properties)).toEqual(['$schema', ...settingDescriptions.map(({ name }) => name)])
  expect(configSchema()).toMatchObject({ additionalProperties: false })
  for (const { name, help, defaultValue } of settingDescriptions) {
    expect(properties[name]?.description).toContain(help)
    const given = properties[name]?.default
    expect(given).toEqual(defaultValue === '' ? undefined : defaultValue)
    if (given !== undefined) expect([name, fits(properties[name] ?? {}, given)]).toEqual([name, true])
  }
})

test('V-07: $schema in the configuration file is accepted', () => {
  expect(accepts({ $schema: './node_modules/keyturn/dist/config.schema.json', port: 0 })).toBe(true)
})

describe('V-07: the schema accepts what a server accepts', () => {
  test.each([
    ['port', [3567, '3567', 0, 65_535], [-1, 65_536, 1.5, 'x', null, true]],
    ['accessTokenValidity', [60, '60', '15m', '1.5h', '500s'], [0, 86_401, '2 weeks', '-1', true]],
    ['shutdownDelay', [0, '0', '5s', '1h'], [-1, 'soon']],
    ['storeWait', [0, '30s'], [3601, 'long']],
    ['maxSessionDataBytes', [2, 1_048_576], [1, 16_777_216, 'many']],
    ['maxPayloadBytes', [5000, '20000'], [0, 65_537]],
    ['logLevel', ['debug', 'silent'], ['loud', 1]],
    ['migrate', ['auto', 'manual'], ['never']],
    ['basePath', ['', '/core', '/a/b'], ['core', '/core/']],
    ['issuer', ['https://app.example.com/auth'], ['app.example.com', 'https://a.example/']],
    ['publicOrigin', ['http://localhost:8080'], ['https://a.example/path']],
    ['apps', [['shop'], 'shop,blog', []], [['Shop'], ['public']]],
    ['tenants', [['t1', 't2']], [['T1'], {}]],
    ['apiKeys', [['a-key-that-no-one-guesses']], [['short']]],
    ['secrets', [['the secret of the application: long']], [['short']]],
  ] as const)('%s', (name, right, wrong) => {
    for (const [values, expected] of [[right, true], [wrong, false]] as const) {
      for (const value of values) {
        expect([name, value, accepts({ [name]: value }), fits(properties[name] ?? {}, value)])
          .toEqual([name, value, expected, expected])
      }
    }
  })
})
