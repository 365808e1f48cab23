import { describe, expect, test } from 'vitest'
import { failureReasonOf } from './failure-reason.ts'

/** The messages of databases that cannot be reached, or are silent for a moment. */
const away = [
  'D1_ERROR: Network connection lost.',
  'D1_ERROR: D1 DB is overloaded. Requests queued for too long.',
  'D1_ERROR: D1 DB reset because its code was updated.',
  'D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.',
  'D1_ERROR: Internal error in D1 DB storage caused object to be reset.',
  'Network connection lost.',
  'Durable Object is overloaded. Requests queued for too long.',
  'fetch failed',
  'Error connecting to database: TypeError: fetch failed',
  'error sending request for url (https://db.example.com/): client error (Connect)',
  'Unable to connect. Is the computer able to access the url?',
  'SERVER_ERROR: Server returned HTTP status 502',
  'Server error (HTTP status 503): no healthy upstream',
  'Server returned HTTP status 522',
  'write CONNECTION_CLOSED 127.0.0.1:5432',
  'write CONNECTION_DESTROYED 127.0.0.1:5432',
  'Connection terminated unexpectedly',
  'connect ECONNREFUSED 127.0.0.1:5432',
]

/** The messages of databases that answer. */
const failed = [
  'D1_ERROR: UNIQUE constraint failed: keyturn_session.handle: SQLITE_CONSTRAINT',
  'D1_ERROR: near "SELEKT": syntax error at offset 0: SQLITE_ERROR',
  'D1_ERROR: string or blob too big: SQLITE_TOOBIG',
  'SQLITE_BUSY: database is locked',
  'SQLITE_CONSTRAINT: UNIQUE constraint failed: keyturn_session.handle',
  'duplicate key value violates unique constraint "keyturn_session_pkey"',
  'syntax error at or near "SELEKT"',
  'Server error (HTTP status 400): bad request',
  'SERVER_ERROR: Server returned HTTP status 500',
]

describe('the reason of a failure', () => {
  test.each(away)('REV-11: the store is unreachable: %s', message => {
    expect(failureReasonOf(new Error(message))).toBe('store-unreachable')
  })

  test.each(failed)('REV-11: the store answers with an error: %s', message => {
    expect(failureReasonOf(new Error(message))).toBe('store-failed')
    expect(failureReasonOf(new Error(message, { cause: new Error(message) }))).toBe('store-failed')
  })

  test('REV-11: the error of the system counts that a driver has wrapped', () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
    const wrapped = new Error('the query failed', { cause: new TypeError('request', { cause: refused }) })
    expect(failureReasonOf(wrapped)).toBe('store-unreachable')
    const denied = new Error('cannot open', { cause: Object.assign(new Error('open'), { code: 'EACCES' }) })
    expect(failureReasonOf(denied)).toBe('privileges-missing')
  })

  test('REV-11: an error that is its own cause, and what is no error, have a reason', () => {
    const circular = new Error('odd')
    circular.cause = circular
    expect([circular, undefined, null, 'odd', {}].map(failureReasonOf)).toEqual(Array(5).fill('store-failed'))
  })
})
