import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { focusOn } from '../base/announce.ts'
import { failureFrom } from '../base/load.ts'
import { Problem } from './states.tsx'

/** A modal dialog that is open as long as it is rendered. The focus returns to where it was. */
export function Dialog({ title, onClose, children }: {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  return <dialog ref={dialog} aria-labelledby="dialog-title" onClose={onClose}>
    <h2 id="dialog-title">{title}</h2>
    {children}
  </dialog>
}

/** Asks once before something that cannot be undone. `action` is the button's text: what happens, to how many. */
export function Confirmation({ title, action, children, act, onClose }: {
  readonly title: string
  readonly action: string
  readonly children: ComponentChildren
  /** Does it. If it fails, the dialog stays and says why. */
  readonly act: () => Promise<void>
  readonly onClose: () => void
}): JSX.Element {
  const [isActing, setActing] = useState(false)
  const [problem, setProblem] = useState('')
  const confirm = async (): Promise<void> => {
    if (isActing) return
    setActing(true)
    setProblem('')
    try {
      await act()
      onClose()
    } catch (error) {
      setProblem(failureFrom(error).message)
      focusOn('dialog-problem')
    } finally {
      setActing(false)
    }
  }
  return <Dialog title={title} onClose={onClose}>
    <div class="flow">{children}</div>
    {problem !== '' && <div id="dialog-problem" tabIndex={-1}>
      <Problem title="The server did not confirm it.">{problem}</Problem></div>}
    <div class="row end">
      <button type="button" autoFocus onClick={onClose}>Cancel</button>
      <button type="button" class="danger" aria-disabled={isActing ? 'true' : undefined} onClick={() => void confirm()}>
        {isActing ? 'Working…' : action}
      </button>
    </div>
  </Dialog>
}
