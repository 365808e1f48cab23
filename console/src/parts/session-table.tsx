import type { JSX } from 'preact'
import type { SessionRow } from '../../../src/console/api-types.ts'
import { sessionHref, userHref } from '../base/address.ts'
import { deviceOf } from '../base/sessions.ts'
import { exact, shorten } from '../base/words.ts'
import { Table } from './table.tsx'
import type { Column } from './table.tsx'
import { Foreign, Time } from './text.tsx'

const user: Column<SessionRow> = {
  title: 'User',
  cell: ({ userId }) => <a class="above name" href={userHref(userId)}><Foreign limit={40}>{userId}</Foreign></a>,
}
const columns: readonly Column<SessionRow>[] = [
  {
    title: 'Device',
    isWide: true,
    cell: row => <>
      <a class="cover" href={sessionHref(row.handle)} data-tip={tipOf(row)}>
        <Foreign limit={60}>{deviceOf(row)}</Foreign>
        <span class="visually-hidden"> session {row.handle}</span>
      </a>
      <code class="muted" aria-hidden="true">{shorten(row.handle)}</code>
    </>,
  },
  { title: 'IP address', cell: ({ client }) => client.ip === null ? <span class="muted">unknown</span>
    : <span class="address"><Foreign limit={45}>{client.ip}</Foreign></span> },
  { title: 'Tenant', cell: ({ tenantId }) => <Foreign limit={40}>{tenantId}</Foreign> },
  { title: 'Logged in', cell: ({ createdAt }) => <Time at={createdAt} inList /> },
  { title: 'Last refreshed', cell: ({ refreshedAt }) => <Time at={refreshedAt} inList /> },
]

function tipOf({ createdAt, refreshedAt, client }: SessionRow): string {
  return `Logged in ${exact(createdAt)}. Last refreshed ${exact(refreshedAt)}. ${client.userAgent ?? ''}`
}

/** Sessions, each a way to its page. */
export function SessionTable({ caption, rows, withUser }: {
  readonly caption: string
  readonly rows: readonly SessionRow[]
  readonly withUser: boolean
}): JSX.Element {
  return <Table caption={caption} rows={rows} keyOf={({ handle }) => handle}
    columns={withUser ? [...columns.slice(0, 1), user, ...columns.slice(1)] : columns} />
}
