import { type DefaultTreeAdapterTypes, parse } from 'parse5'

type Node = DefaultTreeAdapterTypes.Node
type Element = DefaultTreeAdapterTypes.Element

/** Deeper markup is left out: it is a mistake or an attack, and no reader shows it. */
const DEPTH_MAX = 200

const UNREAD = new Set(['script', 'style', 'head', 'template', 'noscript', 'svg', 'iframe', 'object'])
/** What begins a line of its own; the first ones also keep a distance. */
const PARAGRAPHS = new Set('p table ul ol h1 h2 h3 h4 h5 h6 blockquote pre dl figure hr'.split(' '))
const LINES = new Set('div section article header footer main tr li dt dd form'.split(' '))
/** Stands for the border of a line until all text is there: borders that meet are one. */
const BORDER = '\u2028'

/** The text of an HTML page as it is read: a line for each block, a tab between the cells of a table. */
export function htmlToText(html: string): string {
  return tidy(textOf(parse(html), 0))
}

/** The same as Markdown: headings, lists, emphasis, links and tables. */
export function htmlToMarkdown(html: string): string {
  return tidy(markdownOf(parse(html), { depth: 0, list: '' }))
}

function textOf(node: Node, depth: number): string {
  if (node.nodeName === '#text') return (node as DefaultTreeAdapterTypes.TextNode).value.replace(/\s+/g, ' ')
  if (UNREAD.has(node.nodeName) || depth > DEPTH_MAX) return ''
  if (node.nodeName === 'br') return '\n'
  const inner = childrenOf(node)
    .map((child) => textOf(child, depth + 1))
    .join('')
  if (node.nodeName === 'td' || node.nodeName === 'th') return `${inner.trim()}\t`
  if (PARAGRAPHS.has(node.nodeName)) return `\n\n${inner}\n\n`
  return LINES.has(node.nodeName) ? `${BORDER}${inner}${BORDER}` : inner
}

type Place = { readonly depth: number; readonly list: string }

function markdownOf(node: Node, place: Place): string {
  if (node.nodeName === '#text')
    return escapeMarkdown((node as DefaultTreeAdapterTypes.TextNode).value.replace(/\s+/g, ' '))
  if (UNREAD.has(node.nodeName) || place.depth > DEPTH_MAX) return ''
  const inside = (list = place.list) =>
    childrenOf(node)
      .map((child) => markdownOf(child, { depth: place.depth + 1, list }))
      .join('')
  const heading = /^h([1-6])$/.exec(node.nodeName)?.[1]
  if (heading !== undefined) return `\n\n${'#'.repeat(Number(heading))} ${inside().trim()}\n\n`
  switch (node.nodeName) {
    case 'br':
      return '\n'
    case 'strong':
    case 'b':
      return wrap(inside(), '**')
    case 'em':
    case 'i':
      return wrap(inside(), '_')
    case 'a':
      return linkOf(node as Element, inside())
    case 'ul':
      return `\n${inside('-')}\n`
    case 'ol':
      return `\n${inside('1.')}\n`
    case 'li':
      return `\n${place.list || '-'} ${inside().trim()}`
    case 'table':
      return `\n\n${tableOf(node as Element)}\n\n`
    case 'hr':
      return '\n\n---\n\n'
    default:
      return PARAGRAPHS.has(node.nodeName) || LINES.has(node.nodeName) ? `\n\n${inside()}\n\n` : inside()
  }
}

/** Only to where a reader may follow it; scripts and files of the machine are left as their text. */
function linkOf(node: Element, text: string): string {
  const href = node.attrs.find(({ name }) => name === 'href')?.value ?? ''
  return /^(https?|mailto):/i.test(href) && text.trim() !== ''
    ? `[${text.trim()}](${href.replace(/[\s()]/g, encodeURIComponent)})`
    : text
}

function tableOf(table: Element): string {
  const rows = elementsOf(table, 'tr').map((row) =>
    childrenOf(row)
      .filter(({ nodeName }) => nodeName === 'td' || nodeName === 'th')
      .map((cell) =>
        escapeMarkdown(
          tidy(textOf(cell, 0))
            .replace(/\s*\n\s*/g, ' ')
            .trim(),
        ),
      ),
  )
  return markdownTable(rows)
}

/** A table as GitHub's Markdown has it: its first row is the head. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  if (columns === 0) return ''
  const line = (cells: readonly string[]) =>
    `| ${Array.from({ length: columns }, (_, column) => cells[column] ?? '').join(' | ')} |`
  const [head = [], ...body] = rows
  return [line(head), `|${' --- |'.repeat(columns)}`, ...body.map(line)].join('\n')
}

/** What Markdown would take for more than the text that it is. */
export function escapeMarkdown(text: string): string {
  return text.replace(/([\\`*_[\]<>|])/g, '\\$1').replace(/^(\s*)(#{1,6}\s|[-+]\s|\d+\.\s)/, '$1\\$2')
}

function elementsOf(node: Node, name: string, depth = 0): Element[] {
  if (depth > DEPTH_MAX) return []
  return childrenOf(node).flatMap((child) =>
    child.nodeName === name ? [child as Element] : elementsOf(child, name, depth + 1),
  )
}

function childrenOf(node: Node): readonly Node[] {
  return 'childNodes' in node ? node.childNodes : []
}

function wrap(text: string, mark: string): string {
  return text.trim() === '' ? text : text.replace(/^(\s*)([\s\S]*?)(\s*)$/, `$1${mark}$2${mark}$3`)
}

function tidy(text: string): string {
  const broken = text.replace(/\s*\n\s*\u2028\s*|\s*\u2028\s*\n\s*/g, '\n\n').replace(/\s*\u2028[\s\u2028]*/g, '\n')
  const lines = broken.split('\n').map((line) => line.replace(/[ \u00a0]+/g, ' ').replace(/^ | $|\t$/g, ''))
  return lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}
