import type { Milliseconds } from '../../../src/base/time.ts'

/** What the test asks of an application process. */
export type Command =
  | { readonly kind: 'advance'; readonly by: Milliseconds; readonly settle: boolean }
  | { readonly kind: 'measure' }
  | { readonly kind: 'state' }

/** What the process counted since its start. */
export interface ProcessState {
  /** Events of the library, by name and detail. */
  readonly events: Readonly<Record<string, number>>
  /** Errors that were answered with 500 or 503, by code and message. */
  readonly errors: Readonly<Record<string, number>>
  readonly storeCalls: Readonly<Record<string, number>>
  /** Calls of the store that requests wait for. */
  readonly pending: number
  /** `process.getActiveResourcesInfo()`, counted. */
  readonly resources: Readonly<Record<string, number>>
}

/** What the process holds when nothing is under way. */
export interface Measurement {
  /** Bytes of the data in the heap after garbage collection. */
  readonly heap: number
  readonly resources: ProcessState['resources']
}

export interface Question {
  readonly id: number
  readonly command: Command
}

export type Message =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Measurement | ProcessState | null }
