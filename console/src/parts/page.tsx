import type { ComponentChildren, JSX } from 'preact'

/** The frame of a page: its heading, which gets the focus, and below it the sentence that the reader came for. */
export function Page({ title, heading, beside, answer, actions, children }: {
  /** The name of the page, for the window. */
  readonly title: string
  /** What the heading shows, if it is more than the name. */
  readonly heading?: ComponentChildren
  /** A button beside the heading. */
  readonly beside?: ComponentChildren
  readonly answer?: ComponentChildren
  readonly actions?: ComponentChildren
  readonly children: ComponentChildren
}): JSX.Element {
  document.title = `${title} · Keyturn console`
  return <>
    <div class="page-head">
      <div class="heading"><h1 id="title" tabIndex={-1}>{heading ?? title}</h1>{beside}</div>
      {actions !== undefined && <div class="row">{actions}</div>}
    </div>
    {answer !== undefined && <p class="answer">{answer}</p>}
    {children}
  </>
}

/** A part of a page with a heading. */
export function Card({ id, title, actions, children }: {
  readonly id: string
  readonly title: string
  readonly actions?: ComponentChildren
  readonly children: ComponentChildren
}): JSX.Element {
  return <section class="card" aria-labelledby={`${id}-title`}>
    <div class="card-head">
      <h2 id={`${id}-title`} tabIndex={-1}>{title}</h2>
      {actions !== undefined && <div class="row">{actions}</div>}
    </div>
    {children}
  </section>
}
