// Descriptions for traces.
import { nameOf } from './paths.ts'
import type { Outcome } from './refresh.ts'

const ANSWERS: Readonly<Record<string, string>> = {
  adopt: 'adopts the token and answers',
  early: 'answers the same token,',
  rotate: 'rotates and answers',
  retry: 'answers the same child,',
  branch: 'branches and answers',
  're-authenticate': 'replaces secret and anchor and answers',
}

const REFUSALS = {
  busy: 'is busy',
  superseded: 'refuses it, for the user has authenticated again since',
  forged: 'refuses it, for a refresh key must have leaked',
  ended: 'finds no session',
  theft: 'finds a theft and revokes the session',
} as const

/** Describes what the server does. Tokens are in braces. */
export function describeOutcome(outcome: Outcome): string {
  return outcome.kind === 'answered' ? `${ANSWERS[outcome.how]} {${outcome.token}}` : REFUSALS[outcome.kind]
}

/** Replaces each path in braces with a readable name of the token. */
export function withNames(event: string, prefix: string): string {
  return event.replace(/\{([^}]*)\}/g, (_, path: string) => nameOf(prefix + path))
}
