import type { JSX } from 'preact'
import { areOn, destinations, setShortcuts } from '../base/shortcuts.ts'
import { Dialog } from './dialog.tsx'

const others: readonly (readonly [keys: readonly string[], meaning: string])[] = [
  [['/'], 'Search'], [['j'], 'Next row'], [['k'], 'Row before'], [['t'], 'Plots as tables, and back'],
  [['?'], 'This list'], [['Esc'], 'Close a dialog or an explanation'],
]

/** The list of shortcuts. */
export function Help({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const rows = [
    ...others, ...destinations.map(([key, , name]) => [['g', key], `Go to ${name}`] as const),
  ]
  return <Dialog title="Keyboard shortcuts" onClose={onClose}>
    <dl class="shortcuts">
      {rows.map(([keys, meaning]) => <div key={meaning}>
        <dt>{keys.map((key, index) => <>{index > 0 && ' then '}<kbd key={key}>{key}</kbd></>)}</dt><dd>{meaning}</dd>
      </div>)}
    </dl>
    <label class="check"><input type="checkbox" checked={areOn.value}
      onChange={({ currentTarget }) => setShortcuts(currentTarget.checked)} /> Single keys are shortcuts</label>
    <div class="row end"><button type="button" autoFocus onClick={onClose}>Close</button></div>
  </Dialog>
}
