import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

// One tooltip for the page: its text is in the attribute `data-tip` of what it explains. It shows on hover and on
// focus, stays while the pointer is on it, and leaves with Escape.

/** The tooltip. Once in the page. */
export function Tip(): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => box.current === null ? undefined : explainOn(box.current), [])
  return <div id="tip" class="tip" role="tooltip" popover="manual" ref={box}></div>
}

function explainOn(tip: HTMLElement): () => void {
  let explained: Element | null = null
  const hide = (): void => {
    explained?.removeAttribute('aria-describedby')
    explained = null
    if (tip.matches(':popover-open')) tip.hidePopover()
  }
  const show = (event: Event): void => {
    const target = event.target instanceof Element ? event.target : null
    if (target !== null && tip.contains(target)) return
    const element = target?.closest('[data-tip]') ?? null
    if (element === explained) return
    if (element === null && event.type === 'pointerover' && explained === document.activeElement) return
    hide()
    if (element === null) return
    explained = element
    tip.textContent = element.getAttribute('data-tip')
    element.setAttribute('aria-describedby', 'tip')
    tip.showPopover()
    place(tip, element)
  }
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') hide()
  }
  const whole = new AbortController()
  const options = { capture: true, signal: whole.signal }
  document.addEventListener('pointerover', show, options)
  document.addEventListener('focusin', show, options)
  document.addEventListener('focusout', hide, options)
  document.addEventListener('keydown', onKey, options)
  addEventListener('scroll', hide, options)
  return () => whole.abort()
}

const GAP = 6

function place(tip: HTMLElement, element: Element): void {
  const around = element.getBoundingClientRect()
  const { offsetWidth: width, offsetHeight: height } = tip
  const left = Math.max(GAP, Math.min(around.left, innerWidth - width - GAP))
  const above = around.top - height - GAP
  tip.style.left = `${left}px`
  tip.style.top = `${above >= GAP ? above : around.bottom + GAP}px`
}
