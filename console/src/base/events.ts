import type { ConsoleEvent, ConsoleEvents } from '../../../src/console/api-types.ts'
import { apiUrl, read, withQuery } from './api.ts'

/** What a log is narrowed to. Empty: everything. */
export interface EventFilter {
  readonly user: string
  readonly handle: string
}

export type Log = 'theft' | 'audit'

export function eventFilterFrom(query: URLSearchParams): EventFilter {
  return { user: query.get('user') ?? '', handle: query.get('handle') ?? '' }
}

/** How many pages without a match are read before the operator is asked whether to go on. */
const PATIENCE = 8

/** A page of a log, newest first. Pages on which nothing matches are skipped, up to a limit. */
export async function readEvents<Event extends ConsoleEvent>(
  kind: Log, { user, handle }: EventFilter, after: string | null, is: (event: ConsoleEvent) => event is Event,
  abort: AbortSignal,
): Promise<{ readonly events: readonly Event[]; readonly next: string | null }> {
  let place = after
  for (let tries = 0; ; tries++) {
    const query = { kind, userId: user || null, handle: handle || null, after: place, limit: 50 }
    const { events, next } = await read<ConsoleEvents>(withQuery('events', query), abort)
    if (events.length > 0 || next === null || tries === PATIENCE) return { events: events.filter(is), next }
    place = next
  }
}

/** The address of the whole log as a download. */
export function exportUrl(kind: Log, { user, handle }: EventFilter, format: 'json' | 'csv'): string {
  return apiUrl(withQuery('events/export', { kind, userId: user || null, handle: handle || null, format }))
}
