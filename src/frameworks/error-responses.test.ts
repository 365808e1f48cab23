import { afterEach, expect, test, vi } from 'vitest'
import { GeneralError } from '../base/errors.ts'
import { createErrorResponses } from './error-responses.ts'

afterEach(() => vi.restoreAllMocks())

test('DOS-07: an `onError` that throws takes no answer from the client, and both errors are logged', () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const reply = { status: 503, headers: [], body: '{}' }
  const failure = new Error('the log is away')
  const errors = createErrorResponses<null>({ errorReply: () => reply }, () => {
    throw failure
  })
  const error = new GeneralError('STORE_UNAVAILABLE', 'the store is away')
  const request = {
    identity: {}, method: 'GET', path: '/', query: '', client: { ip: null, userAgent: null }, header: () => null,
  }
  expect(errors.answer(error, null, request)).toBe(reply)
  expect(log.mock.calls.flat()).toEqual(expect.arrayContaining([error, failure]))
})
