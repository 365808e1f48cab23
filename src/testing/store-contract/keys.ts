import { keyPurposes } from '../../tokens/key-store.ts'
import { ensureEqual } from '../assert.ts'
import { minute, sampleKey, sampleNow } from '../samples.ts'
import type { ContractCase } from './contract-case.ts'

/** The key store. */
export const keyCases: readonly ContractCase[] = [
  {
    name: 'listKeys: returns every member of every key, oldest activeFrom first',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      ensureEqual(await reader.listKeys(), [], 'none at first')
      const keys = [
        sampleKey('refresh-1', { purpose: 'refresh', algorithm: 'HMAC-SHA-256', activeFrom: sampleNow + 1 }),
        sampleKey('access-1', { activeFrom: sampleNow, algorithm: 'EdDSA' }),
        sampleKey('access-2', { activeFrom: sampleNow + 2, algorithm: 'RS256', material: 'x'.repeat(8000) }),
      ]
      ensureEqual(await store.addKeyIfNewest(keys[0] ?? sampleKey(''), null), true, 'the first of its purpose')
      ensureEqual(await store.addKeyIfNewest(keys[1] ?? sampleKey(''), null), true, 'the first of the other')
      ensureEqual(await store.addKeyIfNewest(keys[2] ?? sampleKey(''), 'access-1'), true, 'the next')
      const sorted = keys.toSorted((left, right) => left.activeFrom - right.activeFrom)
      ensureEqual(await reader.listKeys(), sorted, 'all of them')
    },
  },
  {
    name: 'TOK-20: addKeyIfNewest: adds only after the newest key of its purpose',
    async run({ open }) {
      const store = await open()
      const first = sampleKey('access-1', { activeFrom: sampleNow })
      const second = sampleKey('access-2', { activeFrom: sampleNow + minute })
      const third = sampleKey('access-3', { activeFrom: sampleNow + 2 * minute })
      ensureEqual(await store.addKeyIfNewest(first, 'access-0'), false, 'there is no such key')
      ensureEqual(await store.addKeyIfNewest(first, null), true, 'there was none')
      ensureEqual(await store.addKeyIfNewest(second, null), false, 'there is one now')
      ensureEqual(await store.addKeyIfNewest(second, 'access-1'), true, 'after the first')
      ensureEqual(await store.addKeyIfNewest(third, 'access-1'), false, 'the first is not the newest any more')
      ensureEqual(await store.addKeyIfNewest(third, 'ACCESS-2'), false, 'nor is this its name')
      const refresh = sampleKey('refresh-1', { purpose: 'refresh', algorithm: 'HMAC-SHA-256' })
      ensureEqual(await store.addKeyIfNewest(refresh, 'access-2'), false, 'that key has another purpose')
      ensureEqual(await store.addKeyIfNewest(refresh, null), true, 'none of this purpose')
      ensureEqual(await store.listKeys(), [refresh, first, second], 'what was refused is not there')
      ensureEqual((await store.changesSince(null, 10)).changes, [], 'a new key is not yet used: no change')
    },
  },
  {
    name: 'TOK-20: of 20 concurrent addKeyIfNewest exactly one succeeds, on an empty store and after',
    async run({ open }) {
      const stores = await Promise.all(Array.from({ length: 4 }, () => open()))
      let newest: string | null = null
      for (const round of [1, 2]) {
        const expected: string | null = newest
        const results: (string | null)[] = await Promise.all(Array.from({ length: 20 }, async (_, index) => {
          const kid = `key-${round}-${index}`
          const key = sampleKey(kid, { activeFrom: sampleNow + round * minute })
          return await stores[index % stores.length]?.addKeyIfNewest(key, expected) ? kid : null
        }))
        const winners = results.filter(kid => kid !== null)
        ensureEqual(winners.length, 1, 'one wins')
        ensureEqual((await stores[0]?.listKeys())?.map(key => key.kid).at(-1), winners[0], 'it is the newest key')
        ensureEqual((await stores[1]?.listKeys())?.length, round, 'one key a round')
        newest = winners[0] ?? null
      }
    },
  },
  {
    name: 'TOK-07: keys of every purpose are kept together, and each purpose has a newest key of its own',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      const algorithms = {
        access: 'EdDSA', refresh: 'HMAC-SHA-256', 'core-dynamic': 'RS256', 'core-static': 'RS256',
      } as const
      const keys = keyPurposes.flatMap((purpose, place) => [0, 1].map(number => sampleKey(`${purpose}-${number}`, {
        purpose, algorithm: algorithms[purpose], activeFrom: sampleNow + place + number * minute,
      })))
      for (const key of keys) {
        const before = key.kid.endsWith('1') ? key.kid.replace(/1$/, '0') : null
        ensureEqual(await store.addKeyIfNewest(key, before), true, `${key.kid} is added`)
        ensureEqual(await store.addKeyIfNewest({ ...key, kid: 'late' }, before), false, 'no second on the same one')
      }
      const sorted = keys.toSorted((left, right) => left.activeFrom - right.activeFrom)
      ensureEqual(await reader.listKeys(), sorted, 'all of them')
      ensureEqual(await store.removeKey('core-dynamic-1', sampleNow + minute), true, 'one is removed')
      ensureEqual(await reader.listKeys(), sorted.filter(key => key.kid !== 'core-dynamic-1'), 'and no other')
    },
  },
  {
    name: 'replaceKeyMaterial: replaces only the current material',
    async run({ open }) {
      const [store, other] = [await open(), await open()]
      const key = sampleKey('key-1', { material: 'Material' })
      await store.addKeyIfNewest(key, null)
      ensureEqual(await store.replaceKeyMaterial('key-1', 'material', 'new'), false, 'that is not the material')
      ensureEqual(await store.replaceKeyMaterial('key-2', 'Material', 'new'), false, 'that is not the key')
      ensureEqual(await store.listKeys(), [key], 'nothing changed')
      const results = await Promise.all([
        store.replaceKeyMaterial('key-1', 'Material', 'new'), other.replaceKeyMaterial('key-1', 'Material', 'new'),
      ])
      ensureEqual(results.filter(isReplaced => isReplaced).length, 1, 'of two one wins')
      ensureEqual(await other.listKeys(), [{ ...key, material: 'new' }], 'it is replaced')
    },
  },
  {
    name: 'replaceKeyMaterial: replacing by the same material succeeds',
    async run({ open }) {
      const store = await open()
      await store.addKeyIfNewest(sampleKey('key-1', { material: 'm' }), null)
      ensureEqual(await store.replaceKeyMaterial('key-1', 'm', 'm'), true, 'it was the current one')
    },
  },
  {
    name: 'removeKey: removes the key and appends a keys change, once',
    async run({ open }) {
      const [store, reader] = [await open(), await open()]
      for (const [kid, newest] of [['key-1', null], ['key-2', 'key-1']] as const) {
        const activeFrom = sampleNow + (newest === null ? 0 : 1)
        ensureEqual(await store.addKeyIfNewest(sampleKey(kid, { activeFrom }), newest), true, 'added')
      }
      ensureEqual(await store.removeKey('key-9', sampleNow), false, 'there is no such key')
      ensureEqual((await reader.changesSince(null, 10)).changes, [], 'and no change')
      ensureEqual(await store.removeKey('key-2', sampleNow + minute), true, 'it is removed')
      ensureEqual((await reader.listKeys()).map(key => key.kid), ['key-1'], 'only the other is left')
      ensureEqual((await reader.changesSince(null, 10)).changes, [{ kind: 'keys', until: sampleNow + minute }], 'told')
      ensureEqual(await store.removeKey('key-2', sampleNow + minute), false, 'a second time it is gone')
      ensureEqual((await reader.changesSince(null, 10)).changes.length, 1, 'one change for one removal')
      ensureEqual(await store.addKeyIfNewest(sampleKey('key-3'), 'key-1'), true, 'the other is the newest again')
    },
  },
]
