import type { Visit } from './visit.ts'

/** One finding. `wrong`: it explains why there is no session; `note`: it may explain it; `fine`: no problem. */
export interface Finding {
  readonly kind: 'wrong' | 'note' | 'fine'
  readonly about: string
  readonly words: string
  /** The command to type next, if it is not the same one again. */
  readonly next?: string
}

/** Something that must be changed. */
export const wrong = (about: string, words: string): Finding => ({ kind: 'wrong', about, words })
/** Something that may be a problem. */
export const note = (about: string, words: string): Finding => ({ kind: 'note', about, words })
/** Something that is as it should be. */
export const fine = (about: string, words: string): Finding => ({ kind: 'fine', about, words })

/** The headers that front ends send, which a preflight must allow. */
export const corsHeadersNeeded = 'content-type, rid, fdi-version, st-auth-mode, anti-csrf, authorization'

/** The status and the media type of an answer. */
export function describeAnswer({ status, response }: Visit): string {
  return `${status}, ${response.get('content-type')?.split(';')[0] ?? 'no Content-Type'}`
}

/** What was found, in one sentence, and the command to type next. */
export interface DoctorVerdict {
  readonly verdict: string
  readonly next: string
}

/**
 * The verdict on findings. `again` is the command that was run, without secrets; `onward` the one that follows if
 * nothing is wrong. Pure.
 */
export function judge(findings: readonly Finding[], again: string, onward: string): DoctorVerdict {
  const faults = findings.filter(({ kind }) => kind === 'wrong')
  const [first] = faults
  if (first === undefined) return { verdict: 'Nothing is wrong with what was examined.', next: onward }
  const names = [...new Set(faults.map(({ about }) => about))].join(', ')
  const count = faults.length === 1 ? 'One thing is wrong' : `${faults.length} things are wrong`
  return {
    verdict: `${count}: ${names}. Correct ${faults.length === 1 ? 'it' : `${first.about} first`}, `
      + 'then run the next command.',
    next: first.next ?? again,
  }
}
