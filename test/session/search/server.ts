// The server of a search: applies the product's rules to the records and ages of its states. It caches results, because
// the rules are pure.
import { generationOf } from './paths.ts'
import type { Path } from './paths.ts'
import { compact, expand, NOW, STEP } from './record.ts'
import type { CompactRecord } from './record.ts'
import { confirm, serve } from './refresh.ts'
import type { Outcome, Request, Rules } from './refresh.ts'

/** The record after a request, null if it was removed, and the answer. */
export interface Served {
  readonly record: CompactRecord | null
  readonly outcome: Outcome
}

/** A server with these rules, for sessions with one reuse interval. Clocks and ages are in steps. */
export interface Server {
  /** Serves a call in a process whose clock is `clock` steps ahead. */
  serve(record: CompactRecord, kind: Request['kind'], token: Path, clock: number): Served
  /** Whether an access token of this age confirms the refresh token that was issued with it. */
  confirms(token: Path, age: number): boolean
  /** The record once the client has certainly stored the token; the same record if that changes nothing. */
  confirm(record: CompactRecord, token: Path): CompactRecord
}

/** @param reuseInterval in steps */
export function createServer(rules: Rules, reuseInterval: number): Server {
  const known = new Map<string, Served>()
  /** By age: of access tokens of generation 0, and of later ones. */
  const confirmations = [new Map<number, boolean>(), new Map<number, boolean>()]

  function ask(record: CompactRecord, kind: Request['kind'], token: Path, clock: number): Served {
    const request = { kind, token, now: NOW + clock * STEP, secret: 'A' }
    const served = serve(expand(record, reuseInterval), request, rules)
    return { record: served.record === null ? null : compact(served.record), outcome: served.outcome }
  }

  return {
    serve(record, kind, token, clock) {
      const { current, isConfirmed, rotated, served } = record
      const question = `${current},${isConfirmed ? 1 : 0},${rotated},${served},${kind},${token},${clock}`
      let answer = known.get(question)
      if (answer === undefined) {
        answer = ask(record, kind, token, clock)
        known.set(question, answer)
      }
      return answer
    },
    confirms(token, age) {
      const gen = Math.min(generationOf(token), 1)
      let answer = confirmations[gen]?.get(age)
      if (answer === undefined) {
        // Issued at the end of its second, so that it confirms as early as an access token can.
        const iat = (NOW - age * STEP) / 1000 - 1
        answer = rules.confirms({ gen, iat, ri: reuseInterval * STEP }, NOW)
        confirmations[gen]?.set(age, answer)
      }
      return answer
    },
    confirm(record, token) {
      if (record.isConfirmed) return record
      const { confirmed } = confirm(expand(record, reuseInterval), token)
      return confirmed ? { ...record, isConfirmed: true } : record
    },
  }
}
