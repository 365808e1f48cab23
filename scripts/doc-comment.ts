/**
 * A doc comment as a part of a page. Comments name requirements, for those who read the source, and pages by their path
 * there.
 */
export function asMarkdown(comment: string): string {
  return comment
    .replaceAll(/ \([A-Z]+-\d+(?:, [A-Z]+-\d+)*\)/g, '')
    .replaceAll(/\(docs\/([\w/-]+\.md)\)/g, '([more]($1))')
}
