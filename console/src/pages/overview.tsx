import type { JSX } from 'preact'
import { signal } from '@preact/signals'
import dashboard from '../../../docs/operations/keyturn.json?url'
import type { HealthSummary, MeaningName, Overview, SeriesName } from '../../../src/console/api-types.ts'
import { noteStore, read } from '../base/api.ts'
import { learnTime, now } from '../base/clock.ts'
import { useLoad } from '../base/load.ts'
import { hrefOf } from '../base/address.ts'
import { statusTones, statusWords } from '../base/status.ts'
import { count, figure, lasting, measured, relative, span } from '../base/words.ts'
import { Page } from '../parts/page.tsx'
import { Problem, Ready } from '../parts/states.tsx'
import { Badge, Explained } from '../parts/text.tsx'
import { Plot } from '../plots/plot.tsx'
import { lastOf, questionsOf, stepsOf, sumOf } from '../plots/questions.ts'

/** Which plots are shown as tables. */
const tables = signal<ReadonlySet<string>>(new Set())

/** Shows all plots as tables, or as plots again. */
export function toggleTables(): void {
  const all = document.querySelectorAll('.plot').length
  const ids = [...document.querySelectorAll('.plot h3')].map(({ id }) => id.replace(/^plot-/, ''))
  tables.value = tables.value.size === all ? new Set() : new Set(ids)
}

function toggleTable(id: string): void {
  const next = new Set(tables.value)
  if (!next.delete(id)) next.add(id)
  tables.value = next
}

const EVERY = 15_000

export function OverviewPage(): JSX.Element {
  const loaded = useLoad('overview', async abort => {
    const overview = await read<Overview>('overview', abort)
    learnTime(overview.now)
    noteStore(overview.health.store.isReachable)
    return overview
  }, EVERY)
  const { value } = loaded
  return <Page title="Overview" answer={value === null ? ' ' : <Answer overview={value} />}>
    <Ready loaded={loaded} what="The overview" lines={16}>
      {overview => <>
        <Alerts health={overview.health} thefts={sumOf(overview.series.thefts) ?? 0} />
        <Numbers overview={overview} />
        <h2 class="section">The last hour of this process</h2>
        <div class="plots">
          {questionsOf(overview).map(question => <Plot key={question.id} question={question} steps={stepsOf(overview)}
            asTable={tables.value.has(question.id)} onToggle={() => toggleTable(question.id)} />)}
        </div>
        <p class="muted">Gaps: the process did not run, or there was nothing to measure. For all processes and longer
          histories, collect the metrics with Prometheus, and import{' '}
          <a href={dashboard} download="keyturn.json">the dashboard</a> into Grafana.</p>
      </>}
    </Ready>
  </Page>
}

function Answer({ overview: { sessionsInUse, series, health } }: { readonly overview: Overview }): JSX.Element {
  const [logins, thefts] = [sumOf(series.logins), sumOf(series.thefts) ?? 0]
  const inUse = sessionsInUse === null ? '' : `${sessionsInUse.isAtLeast ? 'At least ' : ''}${
    count(sessionsInUse.count, 'session')} ${sessionsInUse.count === 1 ? 'is' : 'are'} in use here. `
  return <>
    <Badge tone={statusTones[health.status]}>{statusWords[health.status]}</Badge>{' '}
    {inUse}{logins === null ? 'Nothing was measured yet.' : <>In the last hour: {count(logins, 'login')}, {
      count(sumOf(series.revocations) ?? 0, 'revocation')}, {
      thefts === 0 ? 'no theft' : <a href={hrefOf(['thefts'])}>{count(thefts, 'theft')}</a>}.</>}
  </>
}

function Alerts({ health, thefts }: { readonly health: HealthSummary; readonly thefts: number }): JSX.Element | null {
  const { status, reasons, since, keys } = health
  if (status === 'ok' && thefts === 0 && keys?.areEncrypted !== false) return null
  return <div class="flow">
    {status !== 'ok' && <Problem
      title={`${statusWords[status]}, ${lasting(since, now.value)} now: ${reasons.join(', ')}.`}>
      {status === 'degraded' ? 'Access tokens are still verified. ' : 'Send this process no requests. '}
      <a href={hrefOf(['health'])}>What to do</a>
    </Problem>}
    {thefts > 0 && <Problem title={`${count(thefts, 'token theft')} in the last hour.`}>
      <a href={hrefOf(['thefts'])}>See who used which token</a>
    </Problem>}
    {keys?.areEncrypted === false && <Problem isMild title="Signing keys are not encrypted at rest.">
      <a href={hrefOf(['keys'])}>See the keys</a>
    </Problem>}
  </div>
}

interface Tile {
  readonly name: string
  readonly meaning: MeaningName
  readonly text: string
  readonly note: string
}

function Numbers({ overview }: { readonly overview: Overview }): JSX.Element {
  return <dl class="tiles">
    {tilesOf(overview).map(({ name, meaning, text, note }) => <div key={name}>
      <dt><Explained tip={overview.meanings[meaning]}>{name}</Explained></dt>
      <dd><strong>{text}</strong> <span class="muted">{note}</span></dd>
    </div>)}
  </dl>
}

function tilesOf({ series, sessionsInUse, health, counters }: Overview): Tile[] {
  const sum = (name: SeriesName, title: string): Tile => ({
    name: title, meaning: name, ...numberOf(sumOf(series[name]), figure, 'in the last hour'),
  })
  const { verified, cacheHits } = counters
  return [
    {
      name: 'Sessions in use', meaning: 'sessionsInUse',
      text: sessionsInUse === null ? NONE : figure(sessionsInUse.count),
      note: sessionsInUse?.isAtLeast ? 'or more, in this process' : 'in this process',
    },
    sum('logins', 'Logins'), sum('refreshes', 'Refreshes'), sum('revocations', 'Revocations'), sum('thefts', 'Thefts'),
    sum('refusals', 'Refusals'),
    { name: 'Rejected tokens', meaning: 'rejected', text: figure(counters.rejected), note: 'since the start' },
    latency('Verification', 'verifyP99', lastOf(series.verifyP99)),
    {
      name: 'Cache hits', meaning: 'cacheHits',
      text: verified === 0 ? NONE : `${Math.floor(cacheHits / verified * 100)} %`, note: `of ${figure(verified)}`,
    },
    latency('Store', 'storeP99', lastOf(series.storeP99)),
    { name: 'Store failures', meaning: 'storeFailures', text: figure(counters.storeFailures), note: 'since the start' },
    {
      name: 'Feed lag', meaning: 'feedLag',
      text: health.feed.age === null ? NONE : span(health.feed.age),
      note: health.feed.age === null ? 'never read' : health.feed.isStale ? 'stale' : 'since it was read',
    },
    {
      name: 'Key age', meaning: 'keyAge', text: health.keys === null ? NONE : ageOf(health.keys.age),
      note: health.keys === null ? 'not read yet' : `next ${relative(health.keys.nextRotation, now.value)}`,
    },
  ]
}

function latency(name: string, meaning: MeaningName, value: number | null): Tile {
  return { name, meaning, ...numberOf(value, time => `${measured(time)} ms`, '99 % are faster') }
}

/** What stands for a number that is not known; the note says why. */
const NONE = '–'

function numberOf(value: number | null, write: (value: number) => string, note: string): Pick<Tile, 'text' | 'note'> {
  return value === null ? { text: NONE, note: 'not measured yet' } : { text: write(value), note }
}

/** "26 hours" is "1 day": the tile is narrow. */
function ageOf(milliseconds: number): string {
  return lasting(0, milliseconds).slice('for '.length)
}
