import type { Page } from 'playwright-core'

/** Encodes a PNG as WebP, with the browser's encoder. */
export async function toWebp(page: Page, png: Buffer): Promise<Buffer> {
  const url = await page.evaluate(async content => {
    const image = await createImageBitmap(await (await fetch(content)).blob())
    const canvas = document.createElement('canvas')
    canvas.width = image.width
    canvas.height = image.height
    canvas.getContext('2d')?.drawImage(image, 0, 0)
    return canvas.toDataURL('image/webp', 0.85)
  }, `data:image/png;base64,${png.toString('base64')}`)
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')
}
