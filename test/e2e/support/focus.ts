import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** The most times that the Tab key is pressed: a page whose focus goes in a circle must not hang. */
const MOST_STEPS = 120

/** What a person hears of the element that has the focus, and whether an outline shows where it is. */
export function describeFocus(page: Page): Promise<readonly [name: string, isOutlined: boolean]> {
  return page.evaluate(() => {
    const element = document.activeElement ?? document.body
    const isField = element instanceof HTMLInputElement || element instanceof HTMLSelectElement
      || element instanceof HTMLTextAreaElement
    const labels = isField ? [...element.labels ?? []] : []
    const text = element.getAttribute('aria-label') ?? [...labels, element].map(each => each.textContent).join(' ')
    // The outline of a link that covers its row is that of its `::after`.
    const outlines = [getComputedStyle(element), getComputedStyle(element, '::after')]
    return [text.replace(/\s+/g, ' ').trim(), outlines.some(({ outlineStyle }) => outlineStyle !== 'none')] as const
  })
}

/** Moves the focus with the Tab key until it is on what is called so. */
export async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let step = 0; step < MOST_STEPS; step++) {
    await page.keyboard.press('Tab')
    const [text, isOutlined] = await describeFocus(page)
    if (!name.test(text)) continue
    expect(isOutlined, text).toBe(true)
    return
  }
  throw new Error(`the Tab key does not reach ${name}`)
}
