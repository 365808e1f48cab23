import { expect, test } from 'vitest'
import { describeError } from './observe.ts'

test.each([
  ['postgres://ada:secret@db/app', 'cannot reach postgres://db/app'],
  ['postgres://ada:sec@ret@db/app', 'cannot reach postgres://db/app'],
  ['redis://:p@a@b@cache:6379', 'cannot reach redis://cache:6379'],
  ['https://db/a@b', 'cannot reach https://db/a@b'],
])('LOG-01: the log names no user and no password of a URL: %s', (url, words) => {
  expect(describeError(new Error(`cannot reach ${url}`))).toBe(words)
})
