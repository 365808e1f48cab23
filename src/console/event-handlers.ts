import { pageOfEvents } from '../session/event-log.ts'
import type { EventSelection } from '../session/event-log.ts'
import { requireCdiUserId } from '../session/identifiers.ts'
import type { StreamedResponse } from '../transport/exchange.ts'
import type { ConsoleEvent, ConsoleEvents } from './api-types.ts'
import { recordAction } from './audit.ts'
import { describeEvent } from './describe-event.ts'
import { csvOf, jsonOf, streamOf } from './export-events.ts'
import { requestedPage } from './request.ts'
import type { ConsoleRequest } from './request.ts'
import { reply, answerJson } from './responses.ts'
import type { ConsoleSubject } from './subject.ts'

/** The most events that an export holds in memory. */
const EXPORT_PAGE = 500

/** Lists events, newest first. */
export async function listEvents({ subject: { engine }, query }: ConsoleRequest): Promise<StreamedResponse> {
  const { events, next } = await pageOfEvents(engine, selectionOf(query), requestedPage(query))
  return answerJson({ events: events.map(describeEvent), next } satisfies ConsoleEvents)
}

/**
 * Writes all events of a kind into a file, newest first. If the store fails, the file is cut off and the download
 * fails.
 */
export async function exportEvents(
  { subject, query, operator }: ConsoleRequest,
): Promise<StreamedResponse> {
  const { engine } = subject
  const isCsv = query.get('format') === 'csv'
  const kind = query.get('kind') ?? 'theft'
  const selection = selectionOf(query)
  const pages = pagesOf(subject, selection)
  // Read before the response begins: a store that does not answer is then an ordinary error.
  const first = await pages.next()
  await recordAction(engine, {
    action: 'export', operator, userId: selection.userId, handle: selection.handle,
    sentence: `Exported the ${kind} log as ${isCsv ? 'CSV' : 'JSON'}.`,
  })
  const all = withFirst(first.done === true ? [] : first.value, pages)
  const name = `keyturn-${kind}-${new Date(engine.clock()).toISOString().slice(0, 10)}.${isCsv ? 'csv' : 'json'}`
  const type = isCsv ? 'text/csv; charset=utf-8; header=present' : 'application/json; charset=utf-8'
  return reply(200, type, streamOf(isCsv ? csvOf(all) : jsonOf(all)), [
    ['content-disposition', `attachment; filename="${name}"`],
  ])
}

async function* pagesOf(
  { engine }: ConsoleSubject,
  selection: EventSelection,
): AsyncGenerator<readonly ConsoleEvent[], undefined> {
  let after: string | null = null
  do {
    const page: Awaited<ReturnType<typeof pageOfEvents>> = (
      await pageOfEvents(engine, selection, { limit: EXPORT_PAGE, after })
    )
    yield page.events.map(describeEvent)
    after = page.next
  } while (after !== null)
}

async function* withFirst<Page>(first: Page, others: AsyncIterable<Page>): AsyncGenerator<Page> {
  yield first
  yield* others
}

function selectionOf(query: URLSearchParams): EventSelection {
  const userId = query.get('userId')
  return {
    kinds: query.get('kind') === 'audit' ? ['audit'] : ['theft', 'shared', 'rejected'],
    userId: userId === null ? null : requireCdiUserId(userId),
    handle: query.get('handle') || null,
  }
}
