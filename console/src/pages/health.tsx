import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ConfigurationEntry, HealthReport, HealthSummary } from '../../../src/console/api-types.ts'
import { noteStore, read } from '../base/api.ts'
import { now } from '../base/clock.ts'
import { useLoad } from '../base/load.ts'
import { count, lasting, span } from '../base/words.ts'
import { statusTones, statusWords } from '../base/status.ts'
import { Findings } from '../parts/findings.tsx'
import { Card, Page } from '../parts/page.tsx'
import { Empty, Ready } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import type { Column } from '../parts/table.tsx'
import { Badge, Explained, Identifier, Time } from '../parts/text.tsx'


export function HealthPage(): JSX.Element {
  const loaded = useLoad('health', async abort => {
    const report = await read<HealthReport>('health', abort)
    noteStore(report.health.store.isReachable)
    return report
  }, 15_000)
  const { value } = loaded
  return <Page title="Health" answer={value === null ? ' ' : answerOf(value)}
    actions={<button type="button" onClick={loaded.reload}>Check again</button>}>
    <Ready loaded={loaded} what="The health" lines={12}>
      {({ health, findings, configuration }) => <>
        {findings.length === 0 ? <Empty title="Nothing to mend.">The checks of keyturn doctor found nothing.</Empty>
          : <Findings findings={findings} />}
        <Card id="process" title="This process"><Process health={health} /></Card>
        <Configuration entries={configuration} />
      </>}
    </Ready>
  </Page>
}

function answerOf({ health, findings }: HealthReport): string {
  const bad = findings.filter(({ severity }) => severity !== 'info').length
  const reasons = health.reasons.length === 0 ? '' : ` (${health.reasons.join(', ')})`
  return `${statusWords[health.status]}${reasons}, ${lasting(health.since, now.value)} now. ${
    bad === 0 ? 'The checks found nothing to mend.' : `The checks found ${count(bad, 'thing')} to mend.`}`
}

const feedWords: Readonly<Record<string, string>> = {
  following: 'Followed', asleep: 'Asleep', stopped: 'Not started',
}
const fallbacks = {
  none: 'Verifications read the revocation feed.',
  store: 'Verifications read the session from the store.',
  failOpen: 'Verifications accept a valid signature without a revocation check.',
  failClosed: 'Verifications answer 503.',
} as const

function Process({ health: { status, store, feed, keys, cache } }: { readonly health: HealthSummary }): JSX.Element {
  const lookups = cache.hits + cache.misses
  return <dl>
    <dt>Status</dt>
    <dd><Badge tone={statusTones[status]}>{statusWords[status]}</Badge></dd>
    <dt>Store</dt>
    <dd>{store.isReachable ? <Badge tone="good">Answers</Badge> : <Badge tone="bad">Does not answer</Badge>}
      {store.latency !== null && ` in ${span(store.latency)}`}</dd>
    <dt><Explained tip="How this process learns which sessions were revoked: it reads the store’s change log.">
      Revocation feed</Explained></dt>
    <dd>{feed.isStale ? <Badge tone="warning">Stale</Badge>
      : <Badge tone="good">{feedWords[feed.state] ?? feed.state}</Badge>}
      {feed.age !== null && ` read ${span(feed.age)} ago.`} {fallbacks[feed.fallback]}</dd>
    <dt>Keys</dt>
    <dd>{keys === null ? <Badge tone="unknown">Not read yet</Badge> : <>
      {count(keys.count, 'key')}; in use: <Identifier text={keys.current} name="the id of the current key" />, next
      rotation <Time at={keys.nextRotation} /></>}</dd>
    <dt><Explained tip="Access tokens that were verified before are found here, and need no signature check.">
      Cache</Explained></dt>
    <dd>{count(cache.entries, 'token')}; {lookups === 0 ? 'no look-up yet'
      : `${Math.round(cache.hits / lookups * 100)} % of ${count(lookups, 'look-up')} found one`}</dd>
  </dl>
}

const columns: readonly Column<ConfigurationEntry>[] = [
  { title: 'Option', cell: ({ name }) => <code>{name}</code> },
  { title: 'Value', isWide: true, cell: ({ value }) => <bdi class="value">{value}</bdi> },
  {
    title: 'From',
    cell: ({ isDefault }) => isDefault ? <span class="muted">Default</span> : <strong>Configured</strong>,
  },
]

function Configuration({ entries }: { readonly entries: readonly ConfigurationEntry[] }): JSX.Element {
  const [isOwnOnly, setOwnOnly] = useState(false)
  const own = entries.filter(({ isDefault }) => !isDefault)
  return <Card id="configuration" title="Configuration in effect" actions={<label class="check">
    <input type="checkbox" checked={isOwnOnly} onChange={({ currentTarget }) => setOwnOnly(currentTarget.checked)} />
    Only what differs from the defaults ({own.length})
  </label>}>
    <p class="muted">Secrets are not shown, only whether they are set.</p>
    <Table caption="Options" columns={columns} rows={isOwnOnly ? own : entries} keyOf={({ name }) => name} />
  </Card>
}
