import type { Client } from './client.ts'
import { retryDelay } from './decide.ts'
import type { ClientEnvironment, Fetch } from './environment.ts'
import { SessionUnavailableError } from './errors.ts'
import { isObject } from './front-token.ts'
import { internalsOf } from './internals.ts'
import { requestOf } from './repeatable.ts'
import { messageOf } from './server-reply.ts'
import { orAborted, orLate } from './wait.ts'

/** Why a proof was not accepted. */
export interface ProofRefusal {
  /** The status of the answer; null if there was none. */
  readonly status: number | null
  /** The member `message` of the answer's body; null without one. */
  readonly message: string | null
  /** After how many seconds the same proof may be sent again; null if the server does not say. */
  readonly retryAfter: number | null
  /** What was thrown instead of an answer. */
  readonly error?: unknown
}

/** A question to the user: for a proof that the server requires before it answers a request. */
export interface ProofQuestion<Id extends string> {
  /** The id of the claim validator. `auth_time`: the login is older than the route's `maxAuthenticationAge`. */
  readonly id: Id
  /** What the server says about it, such as `{ message: 'expired', maxAgeInSeconds: 300 }`. */
  readonly reason: unknown
  /** Whether a proof is on its way. */
  readonly isSending: boolean
  /** Why the last proof was not accepted; null before the first. */
  readonly refusal: ProofRefusal | null
}

/** The part of a {@link StepUp} that components show. */
export interface ProofQuestions<Id extends string> {
  /** What the user is asked now; null if nothing. The same object until it changes. */
  question(): ProofQuestion<Id> | null
  /** Adds a listener. Returns a function that removes it. */
  onChange(listener: () => void): () => void
}

/** Requests for which the user must prove again who they are. */
export interface StepUp<Id extends string, Proof> extends ProofQuestions<Id> {
  /**
   * Like the client's `fetch`. If the server refuses the request because a proof is missing, asks the user for it and
   * sends the request again. If the user cancels, resolves to the refusal.
   */
  readonly fetch: Fetch
  /** Sends a proof for the question. Resolves to whether it was accepted; `question().refusal` says why not. */
  prove(proof: Proof): Promise<boolean>
  /** Cancels the question: the requests that wait for it resolve to their refusals. */
  cancel(): void
}

/** One question, which several requests may wait for. */
interface Asked<Id extends string> {
  readonly id: Id
  readonly reason: unknown
  readonly answered: Promise<boolean>
  answer(isProven: boolean): void
  waiting: number
}

/** How long the body of a refusal may take, in milliseconds. */
const BODY_TIMEOUT = 2000

/**
 * Asks the user for the proofs that routes with `maxAuthenticationAge` or claim validators require, one at a time, and
 * repeats the requests that were refused. `proofs` sends each kind of proof, by the id of its claim validator. A
 * question ends when its user signs out, or another one signs in. An application shows the question as it likes.
 * @example
 * const stepUp = createStepUp(client, {
 *   auth_time: password => reauthenticateWith(client, '/reauthenticate', { method: 'POST', body: password }),
 * })
 */
export function createStepUp<Id extends string, Proof = string>(
  client: Pick<Client<object>, 'fetch' | 'onChange'>,
  proofs: Readonly<Record<Id, (proof: Proof) => Promise<Response>>>,
): StepUp<Id, Proof> {
  const { env } = internalsOf(client)
  const listeners = new Set<() => void>()
  /** The user is asked the first; the others wait for their turn. */
  const queue: Asked<Id>[] = []
  let question: ProofQuestion<Id> | null = null

  function show(next: ProofQuestion<Id> | null): void {
    question = next
    for (const listener of listeners) listener()
  }

  function showFirst(change: Partial<ProofQuestion<Id>> = {}): void {
    const [first] = queue
    show(first ? { id: first.id, reason: first.reason, isSending: false, refusal: null, ...change } : null)
  }

  function finish(asked: Asked<Id>, isProven: boolean): void {
    const place = queue.indexOf(asked)
    if (place === -1) return
    queue.splice(place, 1)
    asked.answer(isProven)
    if (place === 0) showFirst()
  }

  function enqueue(id: Id, reason: unknown): Asked<Id> {
    let answer = (_: boolean): void => undefined
    const answered = new Promise<boolean>(resolve => answer = resolve)
    const asked = { id, reason, answered, answer, waiting: 0 }
    queue.push(asked)
    if (queue.length === 1) showFirst()
    return asked
  }

  /** Resolves to whether the proof was given; rejects if the request is aborted. */
  function ask(id: Id, reason: unknown, signal: AbortSignal | null | undefined): Promise<boolean> {
    const asked = queue.find(other => other.id === id) ?? enqueue(id, reason)
    asked.waiting++
    return orAborted(signal, asked.answered).finally(() => {
      if (--asked.waiting === 0) finish(asked, false)
    })
  }

  const isKnown = (id: unknown): id is Id => typeof id === 'string' && Object.keys(proofs).includes(id)

  /** The first missing proof that a refusal names and the application can ask for. */
  async function missingIn(refusal: Response): Promise<readonly [id: Id, reason: unknown] | null> {
    const body: unknown = await orLate(env, BODY_TIMEOUT, refusal.json().catch(() => null))
    const named: unknown = isObject(body) && body['claimValidationErrors']
    const errors: readonly unknown[] = Array.isArray(named) ? named : []
    for (const error of errors) {
      if (isObject(error) && isKnown(error['id'])) return [error['id'], error['reason']]
    }
    return null
  }

  // The proof of one user must not repeat the request of another.
  client.onChange(({ session }, before) => {
    if (session?.userId === before.session?.userId) return
    for (const asked of [...queue]) finish(asked, false)
  })

  return {
    question: () => question,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async fetch(input, init) {
      const request = requestOf(input)
      const signal = init?.signal ?? request?.signal
      // A stream cannot be sent again.
      const isOnce = isObject(init?.body) && 'getReader' in init.body
      for (;;) {
        const response = await client.fetch(request?.clone() ?? input, init)
        const missing = response.ok || isOnce ? null : await missingIn(response.clone())
        if (missing === null || !await ask(...missing, signal)) return response
      }
    },
    async prove(proof) {
      const [asked] = queue
      if (asked === undefined || question?.isSending) return false
      showFirst({ isSending: true })
      const refusal = await refusalOf(env, () => proofs[asked.id](proof))
      if (refusal === null) finish(asked, true)
      else if (queue[0] === asked) showFirst({ refusal })
      return refusal === null
    },
    cancel() {
      if (queue[0]) finish(queue[0], false)
    },
  }
}

/** Why a proof was not accepted; null if it was. */
async function refusalOf(env: ClientEnvironment, send: () => Promise<Response>): Promise<ProofRefusal | null> {
  try {
    const response = await send()
    const { ok, status, headers } = response
    if (ok) return null
    const [message, delay] = [await orLate(env, BODY_TIMEOUT, messageOf(response)), retryDelay(headers, env.now().wall)]
    return {
      status,
      message: typeof message === 'string' ? message : null,
      retryAfter: delay === null ? null : Math.ceil(delay / 1000),
    }
  } catch (error) {
    const status = error instanceof SessionUnavailableError ? error.status : null
    return { status, message: null, retryAfter: null, error }
  }
}
