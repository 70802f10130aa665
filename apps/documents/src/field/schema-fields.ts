import type { Search } from './match-patterns.ts'

/** How the value of each JSON Schema type, or format, looks in a text. */
const VALUES: Readonly<Record<string, string>> = {
  number: String.raw`[-+]?\(?\p{Sc}?\s?\d[\d.,'\u00a0 ]*\d|[-+]?\d`,
  integer: String.raw`[-+]?\d[\d.,'\u00a0]*`,
  boolean: 'yes|no|true|false|[xX☑☒✓]',
  date: String.raw`\d{1,4}[-./]\d{1,2}[-./]\d{1,4}|\d{1,2}\.? \p{L}{3,9}\.?,? \d{4}|\p{L}{3,9} \d{1,2},? \d{4}`,
  email: String.raw`[\w.+-]+@[\w-]+(?:\.[\w-]+)+`,
  string: String.raw`[^\n]{1,200}`,
}

type Property = { readonly [key: string]: unknown }

/** Looks for the label of a property at a word's border, and for a value of its type behind it or on the next line. */
export function propertySearch(name: string, property: Property): Search {
  const labels = labelsOf(name, property).map((label) => escapeRegExp(label).replace(/\s+/g, String.raw`\s+`))
  const { pattern, type, format } = property
  const value =
    typeof pattern === 'string'
      ? pattern.replace(/^\^|\$$/g, '')
      : (VALUES[String(format)] ?? VALUES[String(type)] ?? VALUES.string)
  return {
    name,
    pattern: String.raw`(?<![\p{L}\p{N}])(?:${labels.join('|')})[ \t]*(?:[:#=.]+|no\.?|nr\.?)?\s*(?<value>${value})`,
    flags: 'i',
  }
}

function labelsOf(name: string, { title, labels }: Property): string[] {
  const own = [title, ...(Array.isArray(labels) ? labels : [])].filter(
    (label) => typeof label === 'string' && label !== '',
  )
  const spoken = name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
    .toLowerCase()
  return [...(own as string[]), spoken, name].sort((a, b) => b.length - a.length)
}

function escapeRegExp(text: string): string {
  return text.replace(/[/\-\\^$*+?.()|[\]{}]/g, '\\$&')
}

/** The value as its type says; null where it does not read as that. */
export function readAsType(text: string, type: unknown): string | number | boolean | null {
  switch (type) {
    case 'number':
      return numberOf(text)
    case 'integer': {
      const number = numberOf(text)
      return number !== null && Number.isInteger(number) ? number : null
    }
    case 'boolean':
      return !/^(no|false)$/i.test(text)
    default:
      return text
  }
}

/** Reads `1,234.50`, `1.234,50`, `1 234.50`, `(12.00)`: the last sign before one or two digits parts the decimals. */
export function numberOf(text: string): number | null {
  const isNegative = /^\s*[-(]/.test(text)
  const digits = text.replace(/[^\d.,]/g, '').replace(/[.,]+$/, '')
  const decimal =
    /[.,](\d{1,2})$/.exec(digits) ??
    (/^\d+\.\d+$/.test(digits) && !/^\d{1,3}\.\d{3}$/.test(digits) ? /\.(\d+)$/.exec(digits) : null)
  const whole = (decimal ? digits.slice(0, decimal.index) : digits).replace(/[.,]/g, '')
  const value = Number(`${whole || '0'}${decimal ? `.${decimal[1]}` : ''}`)
  if (digits === '' || Number.isNaN(value)) return null
  return isNegative ? -value : value
}
