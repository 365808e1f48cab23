import type { JSX } from 'preact'
import type { AuditAction, AuditEvent, ConsoleEvent } from '../../../src/console/api-types.ts'
import { now } from '../base/clock.ts'
import { eventFilterFrom, readEvents } from '../base/events.ts'
import { useLoad } from '../base/load.ts'
import { hrefOf, sessionHref, userHref } from '../base/address.ts'
import { route } from '../base/route.ts'
import { relative, shorten } from '../base/words.ts'
import { Exports, LogFilter } from '../parts/log-head.tsx'
import { Page } from '../parts/page.tsx'
import { Empty, Ready } from '../parts/states.tsx'
import { Pages, Table } from '../parts/table.tsx'
import type { Column } from '../parts/table.tsx'
import { Badge, Foreign, Time } from '../parts/text.tsx'

const isAudit = (event: ConsoleEvent): event is AuditEvent => event.kind === 'audit'

export function AuditPage(): JSX.Element {
  const { query } = route.value
  const filter = eventFilterFrom(query)
  const after = query.get('after')
  const loaded = useLoad(JSON.stringify(['audit', filter, after]), abort => (
    readEvents('audit', filter, after, isAudit, abort)
  ))
  const latest = loaded.value?.events[0]
  const answer = latest === undefined ? 'What was done in the console, and by whom.'
    : `The latest entry is from ${relative(latest.at, now.value)}, by ${latest.operator}.`
  return <Page title="Audit" answer={loaded.value === null ? ' ' : answer}
    actions={<Exports kind="audit" filter={filter} what="the audit log" />}>
    <p class="muted">Each change is written down before it is made, and again with its result. Entries are kept for 30
      days.</p>
    <LogFilter page="audit" filter={filter} />
    <Ready loaded={loaded} what="The audit log" lines={12}>
      {({ events, next }) => <>
        {events.length === 0 ? <Empty title={next !== null ? 'Nothing matches so far. “Next page” goes on.'
          : after === null ? 'Nothing was done yet.' : 'Nothing more.'} />
          : <Table caption="Audit entries, newest first" columns={columns} rows={actionsOf(events)}
            keyOf={({ latest }) => latest.changeId} />}
        <Pages what="entries" isFirst={after === null} firstHref={hrefOf(['audit'], { ...filter })}
          nextHref={next === null ? null : hrefOf(['audit'], { ...filter, after: next })} />
      </>}
    </Ready>
  </Page>
}

/** A change: what was intended, and what came of it. One of them may be on another page. */
interface AuditedAction {
  readonly latest: AuditEvent
  readonly intention: AuditEvent | null
  readonly result: AuditEvent | null
}

/** The actions of a page, newest first. */
function actionsOf(events: readonly AuditEvent[]): AuditedAction[] {
  const actions = new Map<string, AuditedAction>()
  for (const event of events) {
    const { latest = event, intention = null, result = null } = actions.get(event.changeId) ?? {}
    actions.set(event.changeId, event.stage === 'intended' ? { latest, intention: event, result }
      : { latest, intention, result: event })
  }
  return [...actions.values()]
}

const actions: Readonly<Record<AuditAction, string>> = {
  'login': 'Login', 'login-refused': 'Refused login', 'logout': 'Logout', 'update-payload': 'JWT payload',
  'update-info': 'Session data', 'revoke-session': 'Revocation', 'revoke-user': 'Revocations',
  'rotate-keys': 'Key rotation', 'export': 'Export', 'other': 'Another action',
}

const columns: readonly Column<AuditedAction>[] = [
  { title: 'When', cell: ({ latest }) => <Time at={latest.at} inList /> },
  {
    title: 'What',
    isWide: true,
    cell: ({ latest, intention, result }) => <>
      <span class="muted">{actions[latest.action]}</span><br />
      {intention !== null && <bdi>{intention.sentence}</bdi>}{' '}
      {result !== null && <bdi>{result.sentence}</bdi>}
    </>,
  },
  {
    title: 'Result',
    cell: ({ result }) => result === null ? <Badge tone="unknown">Begun</Badge>
      : result.stage === 'done' ? <Badge tone="good">Done</Badge> : <Badge tone="bad">Failed</Badge>,
  },
  {
    title: 'Who',
    cell: ({ latest }) => <>
      <Foreign limit={40}>{latest.operator}</Foreign> <span class="muted">({latest.role})</span>
    </>,
  },
  {
    title: 'About',
    cell: ({ latest: { userId, handle } }) => <>
      {userId !== null && <a href={userHref(userId)}><Foreign limit={40}>{userId}</Foreign></a>}{' '}
      {handle !== null && <a href={sessionHref(handle)}><code>{shorten(handle)}</code></a>}
      {userId === null && handle === null && <span class="muted">the whole application</span>}
    </>,
  },
]
