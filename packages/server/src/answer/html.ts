/**
 * A page that shows every field of a JSON body, with each link as one to follow: for people who look at the API with a
 * browser, and for OGC's class `html`.
 */
export function toHtml(title: string, body: unknown): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title></head>
<body><h1>${escapeHtml(title)}</h1>
${toElement(body)}
</body></html>
`
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

function toElement(value: unknown): string {
  if (Array.isArray(value))
    return value.length ? `<ul>${value.map((item) => `<li>${toElement(item)}</li>`).join('')}</ul>` : '<p>none</p>'
  if (typeof value !== 'object' || value === null) return `<span>${escapeHtml(String(value))}</span>`
  if (isLink(value)) return toAnchor(value)
  const rows = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => `<dt>${escapeHtml(name)}</dt><dd>${toElement(field)}</dd>`)
  return `<dl>${rows.join('')}</dl>`
}

type Anchor = { readonly href: string; readonly rel: string; readonly type?: string; readonly title?: string }

function isLink(value: object): value is Anchor {
  return 'href' in value && 'rel' in value && typeof value.href === 'string' && /^https?:/.test(value.href)
}

function toAnchor(link: Anchor): string {
  const about = [link.rel, link.type].filter(Boolean).join(', ')
  return `<a href="${escapeHtml(link.href)}">${escapeHtml(link.title ?? link.href)}</a> (${escapeHtml(about)})`
}
