import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(join(import.meta.dirname, path), 'utf8')

test.each([
  '../session/store.ts', '../session/change.ts', '../session/stored-event.ts', '../session/record.ts',
  '../tokens/key-store.ts',
])(
  'every type of the port that %s exports can be imported from keyturn/stores', file => {
    const types = [...read(file).matchAll(/^export (?:interface|type) (\w+)/gm)].map(([, name]) => name)
    const [, exported = ''] = new RegExp(`export type \\{([^}]*)\\} from '${file}'`).exec(read('index.ts')) ?? []
    expect(exported.match(/\w+/g)?.toSorted()).toEqual(types.toSorted())
  })
