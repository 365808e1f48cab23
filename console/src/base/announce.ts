/** A screen reader hears nothing outside of a modal dialog: it must be closed first. */
const AFTER_DIALOG = 100

/** Says something in the page's one live region, after what it says already. */
export function announce(text: string): void {
  setTimeout(() => {
    const region = document.getElementById('announcer')
    if (region === null) return
    const line = document.createElement('p')
    line.textContent = text
    region.append(line)
    while (region.children.length > 3) region.firstElementChild?.remove()
  }, AFTER_DIALOG)
}

/** Moves the focus to an element that replaces the focused one, once it is rendered. */
export function focusOn(id: string): void {
  requestAnimationFrame(() => document.getElementById(id)?.focus())
}
