import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { createAttachment } from './attachment.ts'

test('each attachment keeps a value of its own with an object', () => {
  const [first, second] = [createAttachment<string>(), createAttachment<number>()]
  const [target, other] = [{}, {}]
  expect([first.get(target), second.get(target)]).toEqual([undefined, undefined])
  first.set(target, 'one')
  second.set(target, 2)
  first.set(target, 'three')
  expect([first.get(target), second.get(target)]).toEqual(['three', 2])
  expect([first.get(other), second.get(other)]).toEqual([undefined, undefined])
})

test('no log and no JSON of the object shows a value', () => {
  const target = { name: 'a request' }
  createAttachment<string>().set(target, 'a session')
  createAttachment<object>().set(target, { token: 'a session' })
  expect(inspect(target, { depth: null, showHidden: true })).not.toContain('a session')
  expect(JSON.stringify(target)).toBe('{"name":"a request"}')
})
