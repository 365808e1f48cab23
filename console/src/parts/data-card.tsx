import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { Versioned } from '../../../src/console/api-types.ts'
import { announce, focusOn } from '../base/announce.ts'
import { change, mayChange } from '../base/api.ts'
import { diff, format, parse } from '../base/json-text.ts'
import { failureFrom } from '../base/load.ts'
import { Card } from './page.tsx'
import { Problem } from './states.tsx'

/** What an operator typed and has not saved, by session and kind: kept if the console session ends meanwhile. */
const drafts = new Map<string, { readonly text: string; readonly version: number }>()

const texts = {
  payload: {
    title: 'JWT payload',
    name: 'JWT payload',
    note: 'Claims of the application, which every access token carries. A change reaches the client with its next '
      + 'access token.',
  },
  info: {
    title: 'Session data',
    name: 'session data',
    note: 'Kept in the store, never sent to the client.',
  },
} as const

/** Data of a session: shown, edited, and compared with what somebody else has saved meanwhile. */
export function DataCard({ handle, kind, data, onSaved }: {
  readonly handle: string
  readonly kind: 'payload' | 'info'
  readonly data: Versioned
  readonly onSaved: () => void
}): JSX.Element {
  const { title, name, note } = texts[kind]
  const [isEditing, setEditing] = useState(drafts.has(`${kind} ${handle}`))
  const isEmpty = Object.keys(data.value).length === 0
  return <Card id={kind} title={title} actions={!isEditing && mayChange()
    ? <button type="button" onClick={() => {
      setEditing(true)
      focusOn(`${kind}-text`)
    }}>Edit the {name}</button> : undefined}>
    <p class="muted">{note}</p>
    {isEditing
      ? <Editor handle={handle} kind={kind} data={data} onClose={isSaved => {
        drafts.delete(`${kind} ${handle}`)
        setEditing(false)
        focusOn(`${kind}-title`)
        if (isSaved) onSaved()
      }} />
      : isEmpty ? <p class="muted">Empty: <code>{'{}'}</code></p>
        : <pre class="data" tabIndex={0} aria-label={`${title} as JSON`} role="region">{format(data.value)}</pre>}
  </Card>
}

function Editor({ handle, kind, data, onClose }: {
  readonly handle: string
  readonly kind: 'payload' | 'info'
  readonly data: Versioned
  readonly onClose: (isSaved: boolean) => void
}): JSX.Element {
  const { title, name } = texts[kind]
  const key = `${kind} ${handle}`
  const base = useRef(drafts.get(key)?.version ?? data.version)
  const [text, setText] = useState(drafts.get(key)?.text ?? format(data.value))
  const [problem, setProblem] = useState('')
  const [theirs, setTheirs] = useState<Versioned | null>(null)
  const [isSaving, setSaving] = useState(false)
  const edit = (next: string): void => {
    setText(next)
    drafts.set(key, { text: next, version: base.current })
  }
  const save = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (isSaving) return
    const parsed = parse(text)
    if ('problem' in parsed) return refuse(parsed.problem)
    setSaving(true)
    setProblem('')
    try {
      const path = `sessions/${encodeURIComponent(handle)}/${kind}`
      await change('PUT', path, { value: parsed.value, version: base.current })
      announce(`The ${name} was saved.`)
      onClose(true)
    } catch (error) {
      const { message, current } = failureFrom(error)
      if (current === null) return refuse(message)
      base.current = current.version
      setTheirs(current)
      announce(`Somebody else has changed the ${name} meanwhile. Both versions are shown.`)
      focusOn(`${kind}-conflict`)
    } finally {
      setSaving(false)
    }
  }
  const refuse = (sentence: string): void => {
    setProblem(sentence)
    announce(sentence)
    focusOn(`${kind}-text`)
  }
  return <form class="flow" onSubmit={event => void save(event)}>
    {theirs !== null && <Conflict kind={kind} mine={rewritten(text)} theirs={format(theirs.value)} />}
    <label class="field">
      <span>{theirs === null ? `${title} as a JSON object` : `Your version of the ${name}`}</span>
      <textarea id={`${kind}-text`} rows={Math.min(20, Math.max(4, text.split('\n').length + 1))} spellcheck={false}
        autocomplete="off" value={text} onInput={({ currentTarget }) => edit(currentTarget.value)}
        aria-invalid={problem === '' ? undefined : 'true'}
        aria-describedby={problem === '' ? undefined : `${kind}-problem`} />
    </label>
    {problem !== '' && <Problem id={`${kind}-problem`} title="Nothing was saved.">{problem}</Problem>}
    <div class="row">
      <button class="primary" aria-disabled={isSaving ? 'true' : undefined}>
        {theirs === null ? `Save the ${name}` : 'Save your version over theirs'}
      </button>
      {theirs !== null && <button type="button" onClick={() => {
        announce(`Your change of the ${name} was discarded.`)
        onClose(true)
      }}>Keep theirs and discard yours</button>}
      {theirs === null && <button type="button" onClick={() => onClose(false)}>Cancel the change</button>}
    </div>
  </form>
}

/** What was typed, as the other version is written: only what differs in meaning is marked. */
function rewritten(text: string): string {
  const parsed = parse(text)
  return 'value' in parsed ? format(parsed.value) : text
}

function Conflict({ kind, mine, theirs }: {
  readonly kind: string
  readonly mine: string
  readonly theirs: string
}): JSX.Element {
  return <div class="conflict">
    <h3 id={`${kind}-conflict`} tabIndex={-1}>Somebody else has saved another version meanwhile</h3>
    <p>Nothing of yours was saved. Lines that only one version has are marked.</p>
    <div class="versions">
      <Version name="Theirs, saved" text={theirs} other={mine} />
      <Version name="Yours, not saved" text={mine} other={theirs} />
    </div>
  </div>
}

function Version({ name, text, other }: {
  readonly name: string
  readonly text: string
  readonly other: string
}): JSX.Element {
  return <figure>
    <figcaption>{name}</figcaption>
    <pre class="data" tabIndex={0} role="region" aria-label={name}>{diff(text, other).map((line, index) => (
      line.isOwn ? <mark key={index}>{line.text}{'\n'}</mark> : <span key={index}>{line.text}{'\n'}</span>
    ))}</pre>
  </figure>
}
